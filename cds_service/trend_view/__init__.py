"""Counts over time, for those who look: what is drawn and listed, and the drawing. Judges nothing; knows no HTTP."""
