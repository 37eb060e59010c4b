"""What is otherwise in a run's episodes than its env has it: what was asked for, what is drawn, what is set up."""
