"""What every command needs and no experiment knows of: files, processes, signals, the terminal."""
