"""After the model: sentences become a film's captions."""
