"""Caption sets as they are published: recognised by their keys, read into labels."""
