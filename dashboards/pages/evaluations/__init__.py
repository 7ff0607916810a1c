"""Own evaluations: the models of a suite with their intervals, two of them compared, and what names mean. Pure.

Scores are shares from 0 to 1 in data and points of 100 on pages.
"""
