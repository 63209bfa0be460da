"""What is kept: feedback, cards given, tokens used, the trail of answers. Knows no HTTP and no medicine."""
