"""A stand-in of a Rudder server: rules, reasons, nodes, compliance, and the plugin change-validation.

gate.py             who may come in, which version is asked, and how an answer is wrapped
rules.py            rules as Rudder stores and shows them
nodes.py            nodes and the runs of their agents
compliance.py       what comes of the rules on them
change_requests.py  what waits for approval
state.py            what the server knows, and the sample data
"""

from self_hosted.sandbox.rudder.product import Rudder
from self_hosted.sandbox.rudder.state import TOKENS

__all__ = ["TOKENS", "Rudder"]
