"""LIBERO's tasks as data: which there are, what each says, and where its episodes begin."""
