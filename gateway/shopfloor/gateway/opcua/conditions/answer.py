"""What people answer about a condition, as calls of its methods; what the server says to that, in words.

Source: OPC 10000-9, 5.5.6 (AddComment), 5.7.3 (Acknowledge), 5.7.4 (Confirm), 5.8.17 (TimedShelve, Unshelve).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from shopfloor.gateway.opcua.conditions.options import ConditionOptions
from shopfloor.gateway.opcua.link import explained
from shopfloor.gateway.opcua.nodes import node_ids
from shopfloor.plant import SourceLost, quality
from shopfloor.plant.condition import Act, Answer
from shopfloor.plant.contracts import Outcome

_METHODS: Final = {
    Act.ACKNOWLEDGE: ua.NodeId(ua.ObjectIds.AcknowledgeableConditionType_Acknowledge),
    Act.CONFIRM: ua.NodeId(ua.ObjectIds.AcknowledgeableConditionType_Confirm),
    Act.COMMENT: ua.NodeId(ua.ObjectIds.ConditionType_AddComment),
    Act.SHELVE: ua.NodeId(ua.ObjectIds.ShelvedStateMachineType_TimedShelve),
    Act.UNSHELVE: ua.NodeId(ua.ObjectIds.ShelvedStateMachineType_Unshelve),
}
_SHELVING: Final = (Act.SHELVE, Act.UNSHELVE)
_DONE: Final = {
    Act.ACKNOWLEDGE: "acknowledged",
    Act.CONFIRM: "confirmed",
    Act.COMMENT: "commented",
    Act.SHELVE: "shelved",
    Act.UNSHELVE: "no longer shelved",
}
_WHY: Final = {
    "BadConditionBranchAlreadyAcked": "Somebody has acknowledged it at the device already",
    "BadConditionBranchAlreadyConfirmed": "Somebody has confirmed it at the device already",
    "BadConditionAlreadyShelved": "It is shelved at the device already",
    "BadConditionNotShelved": "It is not shelved at the device",
    "BadConditionDisabled": "The device has disabled this condition",
    "BadEventIdUnknown": "The device has something newer to say of it: look at it again",
    "BadUserAccessDenied": "The device does not let this gateway's user do it: give that user the rights there",
    "BadShelvingTimeOutOfRange": "The device does not shelve for so long: shelve it for less",
    "BadNodeIdUnknown": "The device does not have this condition any more",
    "BadNodeIdInvalid": "The device does not have this condition any more",
    "BadMethodInvalid": "The device offers no such answer",
    "BadNotImplemented": "The device offers no such answer",
    "BadNotSupported": "The device offers no such answer",
}


@dataclass(frozen=True, slots=True)
class Answering:
    """Answers over one session of a source."""

    source: str
    url: str
    options: ConditionOptions

    async def apply(self, session: UaSession | None, answer: Answer) -> Outcome:
        """Call the method, once; `SourceLost` when the link is gone."""
        if not self.options.allows(answer.act):
            key = "shelve" if answer.act in _SHELVING else "acknowledge"
            return Outcome(
                quality.BAD_USER_ACCESS_DENIED,
                sentence=f"The source {self.source!r} does not pass this on: say '{key}: true' in its 'conditions'.",
            )
        if session is None:
            return Outcome(
                quality.BAD_NOT_CONNECTED,
                sentence=f"The device of {self.source!r} is not connected: nothing was asked of it; try again later.",
            )
        with explained(self.url):
            try:
                status = await self._call(session, answer)
            except SourceLost as unreadable:
                return Outcome(quality.BAD_NODE_ID_UNKNOWN, sentence=str(unreadable))
            except ua.uaerrors.BadUserAccessDenied as refused:
                status = refused.code
        if not status >> 31:
            return Outcome(status, _DONE[answer.act], f"{_DONE[answer.act].capitalize()} at the device.")
        name = ua.status_codes.get_name_and_doc(status)[0]
        return Outcome(status, sentence=f"{_WHY.get(name, 'The device refuses')} ({name}).")

    async def _call(self, session: UaSession, answer: Answer) -> int:
        (node,) = await node_ids(session, [answer.id])
        method = _METHODS[answer.act]
        if answer.act in _SHELVING:
            node, method = await _shelving(session, node, answer.act)
        request = ua.CallMethodRequest()
        request.ObjectId, request.MethodId, request.InputArguments = node, method, _arguments(answer)
        (result,) = await session.call([request])
        return int(result.StatusCode.value)


def _arguments(answer: Answer) -> list[ua.Variant]:
    if answer.act is Act.SHELVE:
        return [ua.Variant(answer.minutes * 60_000, ua.VariantType.Double)]
    if answer.act is Act.UNSHELVE:
        return []
    comment = ua.LocalizedText(answer.comment)
    return [
        ua.Variant(bytes.fromhex(answer.event), ua.VariantType.ByteString),
        ua.Variant(comment, ua.VariantType.LocalizedText),
    ]


async def _shelving(session: UaSession, condition: ua.NodeId, act: Act) -> tuple[ua.NodeId, ua.NodeId]:
    """The state machine of a condition and its method; the condition and the type's method where they have no nodes."""
    name = "TimedShelve" if act is Act.SHELVE else "Unshelve"
    paths = [_path(condition, "ShelvingState"), _path(condition, "ShelvingState", name)]
    found = [
        result.Targets[0].TargetId if result.StatusCode.is_good() and result.Targets else None
        for result in await session.translate_browsepaths_to_nodeids(paths)
    ]
    return found[0] or condition, found[1] or _METHODS[act]


def _path(start: ua.NodeId, *names: str) -> ua.BrowsePath:
    path = ua.BrowsePath()
    path.StartingNode = start
    path.RelativePath.Elements = [_element(name) for name in names]
    return path


def _element(name: str) -> ua.RelativePathElement:
    element = ua.RelativePathElement()
    element.ReferenceTypeId = ua.NodeId(ua.ObjectIds.HasComponent)
    element.IncludeSubtypes = True
    element.TargetName = ua.QualifiedName(name, 0)
    return element
