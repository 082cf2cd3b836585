"""Before the model: pictures and Korean become arrays and ids."""
