"""What Discord publishes about its answers, as a table of our own.

Source: repository discord/discord-api-spec, file specs/openapi.json at commit
62071cdbc308ce48248a30c54c9aa9ba46ff0c2a, ``components.schemas`` of the same names. Of each schema: the names of
all fields with their JSON types; ``!`` marks those that are required, ``?`` those that may be null.

Where the description contradicts Discord's own documentation (repository discord/discord-api-docs), the documentation
is followed, which the comments name.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

_USER = """
    id! snowflake  username! string  avatar string?  discriminator! string  public_flags! integer  flags! integer
    bot boolean  system boolean  banner string?  accent_color integer?  global_name string?
    avatar_decoration_data object?  collectibles object?  primary_guild object?
"""

_MEMBER = """
    avatar string?  avatar_decoration_data object?  banner string?  communication_disabled_until time?
    flags! integer  joined_at! time  nick string?  pending! boolean  premium_since time?  roles! [snowflake]
    collectibles object?  user! UserResponse  mute! boolean  deaf! boolean
"""

_CHANNEL = """
    id! snowflake  type! integer  last_message_id snowflake?  flags! integer  last_pin_timestamp time?
    guild_id! snowflake  name! string  parent_id snowflake?  rate_limit_per_user integer  bitrate integer
    user_limit integer  rtc_region string?  video_quality_mode integer  permissions string?
"""

_CONTENT = """
    type! integer  content! string  mentions! [UserResponse]  mention_roles! [snowflake]
    attachments! [MessageAttachmentResponse]  embeds! [MessageEmbedResponse]  timestamp! time  edited_timestamp time?
    flags! integer  components! [object]  stickers [object]  sticker_items [MessageStickerItemResponse]
"""

_BASIC_MESSAGE = f"""{_CONTENT}
    id! snowflake  channel_id! snowflake  author! UserResponse  pinned! boolean  mention_everyone! boolean
    tts! boolean  call object  activity object  application object  application_id snowflake
    interaction MessageInteractionResponse  nonce nonce?  webhook_id snowflake
    message_reference MessageReferenceResponse  thread ThreadResponse  mention_channels [object]
    role_subscription_data object  purchase_notification object  position integer  resolved object
    poll PollResponse  shared_client_theme object?
    interaction_metadata ApplicationCommandInteractionMetadataResponse
    message_snapshots [MessageSnapshotResponse]
"""

_GUILD = """
    id! snowflake  name! string  icon string?  description string?  home_header string?  splash string?
    discovery_splash string?  features! [string]  banner string?  owner_id! snowflake  application_id snowflake?
    region! string  afk_channel_id snowflake?  afk_timeout! integer  system_channel_id snowflake?
    system_channel_flags! integer  widget_enabled! boolean  widget_channel_id snowflake?
    verification_level! integer  roles! [GuildRoleResponse]  default_message_notifications! integer
    mfa_level! integer  explicit_content_filter! integer  max_presences integer?  max_members! integer
    max_stage_video_channel_users! integer  max_video_channel_users! integer  vanity_url_code string?
    premium_tier! integer  premium_subscription_count! integer  preferred_locale! string
    rules_channel_id snowflake?  safety_alerts_channel_id snowflake?  public_updates_channel_id snowflake?
    premium_progress_bar_enabled! boolean  nsfw! boolean  nsfw_level! integer  emojis! [object]
    stickers! [object]
"""

SCHEMAS = {
    "UserResponse": _USER,
    "UserPIIResponse": f"""{_USER}
        mfa_enabled! boolean  locale! string  premium_type integer  email string?  verified boolean
    """,
    "GuildMemberResponse": _MEMBER,
    "GuildRoleResponse": """
        id! snowflake  name! string  description string?  permissions! bits  position! integer  color! integer
        colors! GuildRoleColorsResponse  hoist! boolean  managed! boolean  mentionable! boolean  icon string?
        unicode_emoji string?  tags object  flags! integer
    """,
    "GuildRoleColorsResponse": "primary_color! integer  secondary_color integer?  tertiary_color integer?",
    "GuildWithCountsResponse": f"""{_GUILD}
        approximate_member_count integer?  approximate_presence_count integer?
    """,
    "PrivateApplicationResponse": """
        id! snowflake  name! string  icon string?  description! string  type integer?  cover_image string
        primary_sku_id snowflake  bot UserResponse  slug string  guild_id snowflake  rpc_origins [string]
        bot_public boolean  bot_require_code_grant boolean  terms_of_service_url string
        privacy_policy_url string  custom_install_url string  install_params object
        integration_types_config object  verify_key! string  flags! integer  max_participants integer?
        tags [string]  redirect_uris! [string]  interactions_endpoint_url string?
        role_connections_verification_url string?  owner! UserResponse  approximate_guild_count integer?
        approximate_user_install_count! integer  approximate_user_authorization_count! integer
        explicit_content_filter! integer  team object?
    """,
    # The description lists the types 0, 2, 4, 5, 13, 14 and 15 only; the documentation has 16 (media) too.
    "GuildChannelResponse": f"""{_CHANNEL}
        topic string?  default_auto_archive_duration integer  default_thread_rate_limit_per_user integer
        position! integer  permission_overwrites [ChannelPermissionOverwriteResponse]  nsfw boolean
        available_tags [ForumTagResponse]  default_reaction_emoji object?  default_sort_order integer?
        default_forum_layout integer?  default_tag_setting string?  hd_streaming_until time
        hd_streaming_buyer_id snowflake
    """,
    "ChannelPermissionOverwriteResponse": "id! snowflake  type! integer  allow! bits  deny! bits",
    "ForumTagResponse": "id! snowflake  name! string  moderated! boolean  emoji_id snowflake?  emoji_name string?",
    "ThreadResponse": f"""{_CHANNEL}
        owner_id! snowflake  thread_metadata! ThreadMetadataResponse  message_count! integer
        member_count! integer  total_message_sent! integer  applied_tags [snowflake]
        member ThreadMemberResponse
    """,
    "ThreadMetadataResponse": """
        archived! boolean  archive_timestamp time?  auto_archive_duration! integer  locked! boolean
        create_timestamp time  invitable boolean
    """,
    "ThreadMemberResponse": """
        id! snowflake  user_id! snowflake  join_timestamp! time  flags! integer  member GuildMemberResponse
    """,
    "ThreadsResponse": """
        threads! [ThreadResponse]  members! [ThreadMemberResponse]  has_more! boolean
        first_messages [MessageResponse]
    """,
    "MessageResponse": f"""{_BASIC_MESSAGE}
        reactions [MessageReactionResponse]  referenced_message BasicMessageResponse?
    """,
    "BasicMessageResponse": _BASIC_MESSAGE,
    "MessageSnapshotResponse": "message! MinimalContentMessageResponse",
    "MinimalContentMessageResponse": _CONTENT,
    "MessageReferenceResponse": "type! integer  channel_id! snowflake  message_id snowflake  guild_id snowflake",
    "MessageStickerItemResponse": "id! snowflake  name! string  format_type! integer",
    "MessageAttachmentResponse": """
        id! snowflake  filename! string  size! integer  url! string  proxy_url! string  width integer
        height integer  duration_secs number  waveform string  description string  content_type string
        ephemeral boolean  title string?  application object  clip_created_at time
        clip_participants [UserResponse]
    """,
    "MessageEmbedResponse": """
        type! string  url string  title string  description string  color integer  timestamp time
        fields [MessageEmbedFieldResponse]  author object  provider object  image object  thumbnail object
        video object  footer object
    """,
    "MessageEmbedFieldResponse": "name! string  value! string  inline! boolean",
    "MessageReactionResponse": """
        emoji! MessageReactionEmojiResponse  count! integer  count_details! MessageReactionCountDetailsResponse
        burst_colors! [string]  me_burst! boolean  me! boolean
    """,
    "MessageReactionEmojiResponse": "id snowflake?  name string?  animated boolean",
    "MessageReactionCountDetailsResponse": "burst! integer  normal! integer",
    "MessageInteractionResponse": """
        id! snowflake  type! integer  name! string  user UserResponse  name_localized string
    """,
    "ApplicationCommandInteractionMetadataResponse": """
        id! snowflake  type! integer  user UserResponse  authorizing_integration_owners! object
        original_response_message_id snowflake  target_user UserResponse  target_message_id snowflake
    """,
    "PollResponse": """
        question! PollMediaResponse  answers! [PollAnswerResponse]  expiry! time  allow_multiselect! boolean
        layout_type! integer  results! PollResultsResponse
    """,
    "PollMediaResponse": "text string  emoji MessageReactionEmojiResponse",
    "PollAnswerResponse": "answer_id! integer  poll_media! PollMediaResponse",
    "PollResultsResponse": "answer_counts! [PollResultsEntryResponse]  is_finalized! boolean",
    "PollResultsEntryResponse": "id! integer  count! integer  me_voted! boolean",
    "ErrorResponse": "code! integer  message! string  errors object",
    # The description requires a code; the documentation has it for some limits only, and its examples lack it.
    "RatelimitedResponse": "code integer  message! string  retry_after! number  global! boolean",
}

ANSWERS = {
    "/users/@me": "UserPIIResponse",
    "/applications/@me": "PrivateApplicationResponse",
    "/oauth2/applications/@me": "PrivateApplicationResponse",
    "/guilds/{guild}": "GuildWithCountsResponse",
    "/guilds/{guild}/channels": "[GuildChannelResponse]",
    "/guilds/{guild}/roles": "[GuildRoleResponse]",
    "/guilds/{guild}/threads/active": "ThreadsResponse",
    "/guilds/{guild}/members": "[GuildMemberResponse]",
    "/guilds/{guild}/members/{member}": "GuildMemberResponse",
    "/channels/{channel}": "GuildChannelResponse",
    "/channels/{thread}": "ThreadResponse",
    "/channels/{channel}/threads/archived/public": "ThreadsResponse",
    "/channels/{channel}/threads/archived/private": "ThreadsResponse",
    "/channels/{channel}/users/@me/threads/archived/private": "ThreadsResponse",
    "/channels/{channel}/messages": "[MessageResponse]",
    "/channels/{channel}/messages/{message}": "MessageResponse",
}
"""What each path answers, by the documentation of each endpoint."""

CHANNEL_TYPES = {0, 2, 4, 5, 10, 11, 12, 13, 15, 16}
MESSAGE_TYPES = {*range(33), 36, 37, 38, 39, 46, 55} - {13, 30}

_SIMPLE: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "nonce": (int, str),
}


def fields(schema: str) -> dict[str, tuple[str, bool]]:
    """Type and whether it is required, of each field."""
    words = SCHEMAS[schema].split()
    pairs = zip(words[::2], words[1::2], strict=True)
    return {name.rstrip("!"): (kind, name.endswith("!")) for name, kind in pairs}


def mismatches(value: Any, kind: str, at: str = "$") -> list[str]:
    """What of a JSON value is not as published."""
    if kind.endswith("?"):
        return [] if value is None else mismatches(value, kind[:-1], at)
    if kind.startswith("["):
        if not isinstance(value, list):
            return [f"{at}: not an array"]
        return [m for i, item in enumerate(value) for m in mismatches(item, kind[1:-1], f"{at}[{i}]")]
    if kind in SCHEMAS:
        return _object(value, kind, at)
    if kind in {"snowflake", "bits"}:
        right = isinstance(value, str) and re.fullmatch(r"0|[1-9]\d*", value)
        return [] if right else [f"{at}: {value!r} is no {kind}"]
    if kind == "time":
        return [] if isinstance(value, str) and _is_time(value) else [f"{at}: {value!r} is no time"]
    right = isinstance(value, _SIMPLE[kind]) and (kind == "boolean" or not isinstance(value, bool))
    return [] if right else [f"{at}: {value!r} is no {kind}"]


def _object(value: Any, schema: str, at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at}: not an object"]
    known = fields(schema)
    found = [f"{at}.{name}: missing" for name, (_, needed) in known.items() if needed and name not in value]
    for name, item in value.items():
        if name in known:
            found += mismatches(item, known[name][0], f"{at}.{name}")
        else:
            found.append(f"{at}.{name}: unknown")
    return found


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
