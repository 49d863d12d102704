"""Tests of screen pop: who is calling."""
