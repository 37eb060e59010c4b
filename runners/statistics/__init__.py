"""What rows show: rates, intervals, gate, stop rule, the comparison of two runs."""
