"""A network laboratory: real daemons, and a microscope that explains what they say.

Each package is a lab of its own (`netlab.calc` is the calculator), `netlab.common` is what they share, and
`netlab.cli` is the command. The version is kept here and nowhere else.
"""

__version__ = "0.1.0"
