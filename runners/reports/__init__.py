"""What a person reads of runs: lines, tables, pages."""
