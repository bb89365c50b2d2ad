"""What each channel shows: by its position, else by its name, else because it is the only one."""

from __future__ import annotations

from dataclasses import replace

from ienfd.protocol import ImageChoices
from ienfd.section import Channel, ChannelRole, Section

__all__ = ["assign_roles", "role_of"]


def role_of(name: str | None, choices: ImageChoices) -> ChannelRole | None:
    """Role that a channel's name tells, None when it tells none.

    Names are compared without case, blanks and punctuation; a name matches when it contains one of
    the protocol's.
    """
    if not name:
        return None
    plain = _plain(name)
    for role, known in (
        (ChannelRole.BASEMENT_MEMBRANE, choices.basement_membrane_names),
        (ChannelRole.NERVE, choices.nerve_names),
        (ChannelRole.NUCLEI, choices.nuclei_names),
    ):
        if any(_plain(word) in plain for word in known if _plain(word)):
            return role
    return None


def assign_roles(section: Section, choices: ImageChoices) -> tuple[Section, bool]:
    """Give every channel of a fluorescence section its role.

    A position in the protocol overrides a name. A single channel shows the nerves. Where nothing
    tells which channel shows the nerves, and just one is left, it is taken to be that one.

    Parameters
    ----------
    section : Section
    choices : ImageChoices

    Returns
    -------
    section : Section
        With roles; channels of no known role are to be ignored. Without a nerve channel when it
        cannot be known. A color image is returned as it is: its colors are no channels.
    certain : bool
        False when the nerve channel was taken because it was the only one left.
    """
    if section.rgb:
        return section, True
    given = {
        position: role
        for role, position in (
            (ChannelRole.NERVE, choices.nerve_channel),
            (ChannelRole.BASEMENT_MEMBRANE, choices.basement_membrane_channel),
            (ChannelRole.NUCLEI, choices.nuclei_channel),
        )
        if position is not None
    }
    roles: list[ChannelRole | None] = []
    for index, channel in enumerate(section.channels):
        role = given.get(index)
        if role is None:
            role = channel.role or role_of(channel.name, choices)
            taken = role in given.values() or (role in roles and role is not ChannelRole.IGNORE)
            role = None if taken else role
        roles.append(role)
    certain = ChannelRole.NERVE in roles
    if not certain and roles.count(None) == 1:
        roles[roles.index(None)] = ChannelRole.NERVE
    channels = tuple(
        Channel(channel.name, role or ChannelRole.IGNORE)
        for channel, role in zip(section.channels, roles, strict=True)
    )
    return replace(section, channels=channels), certain or len(roles) == 1


def _plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
