"""Calls the simulator through Mastodon.py, and fails where that cannot read an answer or reads something else.

`MASTODON_ORIGIN` and `MASTODON_TOKEN` say where and with which token; the argument is a photo.
"""

import os
import sys
from datetime import datetime

from mastodon import Mastodon, MastodonAPIError, MastodonNotFoundError, MastodonUnauthorizedError

ORIGIN = os.environ["MASTODON_ORIGIN"]


def client(token):
    known = {"mastodon_version": "4.5.0", "version_check_mode": "created"}
    return Mastodon(access_token=token, api_base_url=ORIGIN, ratelimit_method="throw", **known)


def reading(api):
    me = api.account_verify_credentials()
    assert me.username == "orla_demo" and me.source.privacy == "public", me
    assert isinstance(me.created_at, datetime)
    instance = api.instance_v2()
    limits = instance.configuration
    assert limits.statuses.max_characters == 500 and limits.statuses.characters_reserved_per_url == 23
    assert limits.media_attachments.image_size_limit == 16777216
    assert "image/jpeg" in limits.media_attachments.supported_mime_types
    assert instance.api_versions.mastodon == 7
    # From the headers of the answers.
    assert 0 < api.ratelimit_remaining < api.ratelimit_limit == 300
    return me


def posting(api, photo):
    medium = api.media_post(photo, mime_type="image/jpeg", description="Two hills", focus=(0.5, -0.25))
    assert medium.type == "image" and medium.url.startswith(ORIGIN), medium
    assert (medium.meta.focus.x, medium.meta.focus.y) == (0.5, -0.25)
    described = api.media_update(medium, description="Three hills")
    assert described.description == "Three hills" and api.media(medium).id == medium.id

    ask = {"media_ids": [medium], "idempotency_key": "first", "language": "en", "spoiler_text": "Hills"}
    status = api.status_post("Look & see\n#hills https://example.com/a", **ask)
    assert isinstance(status.created_at, datetime) and status.sensitive and status.spoiler_text == "Hills"
    assert status.content.startswith("<p>Look &amp; see<br />") and status.tags[0].name == "hills"
    assert status.media_attachments[0].description == "Three hills"
    again = api.status_post("Look & see\n#hills https://example.com/a", **ask)
    assert again.id == status.id

    reply = api.status_post("And more", in_reply_to_id=status, visibility="unlisted")
    assert str(reply.in_reply_to_id) == str(status.id) and reply.visibility == "unlisted"
    context = api.status_context(reply)
    assert [ancestor.id for ancestor in context.ancestors] == [status.id] and context.descendants == []
    assert api.status(status).replies_count == 1
    return status


def paging(api, me):
    ids = [str(api.status_post(f"number {number}").id) for number in range(4)]
    page = api.account_statuses(me, limit=2)
    assert [str(status.id) for status in page] == [ids[3], ids[2]]
    older = api.fetch_next(page)
    assert [str(status.id) for status in older] == [ids[1], ids[0]]
    newer = api.fetch_previous(older)
    assert [str(status.id) for status in newer] == [ids[3], ids[2]]
    everything = api.fetch_remaining(page)
    assert len(everything) == 6
    assert len(api.account_statuses(me, min_id=ids[1])) == 2


def deleting(api):
    status = api.status_post("Not for long")
    assert api.status_delete(status).text == "Not for long"
    refused(MastodonNotFoundError, "Record not found", api.status, status)


def refused(error, words, call, *arguments):
    try:
        call(*arguments)
    except error as refusal:
        assert words in str(refusal), refusal
        return
    raise AssertionError(f"{error.__name__} was expected")


def refusals(api):
    refused(MastodonAPIError, "Text character limit of 500 exceeded", api.status_post, "x" * 501)
    refused(MastodonAPIError, "Text can't be blank", api.status_post, "")
    refused(MastodonUnauthorizedError, "The access token is invalid", client("nobody").account_verify_credentials)


def main():
    api = client(os.environ["MASTODON_TOKEN"])
    me = reading(api)
    posting(api, sys.argv[1])
    paging(api, me)
    deleting(api)
    refusals(api)


main()
