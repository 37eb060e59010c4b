"""What variations did, in words and on the pages: arms, curves over strengths, which number matters, the worst draws."""
