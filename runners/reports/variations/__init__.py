"""What variations did, in words and on the pages: arms, curves, which number matters, the worst draws, losses."""
