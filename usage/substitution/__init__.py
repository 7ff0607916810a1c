"""The rules of recommending another model, pure: what it would cost on the real token log, and whether it is as good.

`offers`: what is offered · `repricing`: a use on another's price cards · `factors`: how many more tokens another model
takes · `quality`: is it as good · `needs`: does it do what the work needs · `weighing`: all of it, to a verdict.
`docs/recommendations.md` has the formulas with their sources and limits.
"""
