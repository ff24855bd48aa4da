"""The connection doctor: walks from the address to the first value, and says at which step it fails, why, and the fix.

async for finding in examine("opc.tcp://press-7:4840", {"security": "none"}):
    print(finding.step, finding.state, finding.why, finding.fix)
"""

from shopfloor.gateway.doctor.examine import examine, steps_of
from shopfloor.gateway.doctor.finding import Examiner, Finding, State, Subject

__all__ = ["Examiner", "Finding", "State", "Subject", "examine", "steps_of"]
