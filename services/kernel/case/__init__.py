"""Case (事项): something asked or happened that must reach an outcome.

Its parts, composed by each service into states of its own: ``workflow`` (stages as data), ``custody`` (who answers,
who handles), ``deadlines`` (promised times), ``links`` (what must be done elsewhere before it closes).
"""
