"""Calls the simulated Instagram through Facebook's own client, and fails where that cannot read an answer or reads another one.

`FACEBOOK_ORIGIN`, `FACEBOOK_TOKEN`, `FACEBOOK_APP_ID` and `FACEBOOK_APP_SECRET` say where and as whom; the argument is the
account.
"""

import os
import sys

from facebook_business.adobjects.igcomment import IGComment
from facebook_business.adobjects.igmedia import IGMedia
from facebook_business.adobjects.iguser import IGUser
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

ORIGIN = os.environ["FACEBOOK_ORIGIN"]
FacebookSession.GRAPH = ORIGIN


def client():
    session = FacebookSession(
        os.environ["FACEBOOK_APP_ID"], os.environ["FACEBOOK_APP_SECRET"], os.environ["FACEBOOK_TOKEN"]
    )
    return FacebookAdsApi(session, api_version="v26.0")


def account(api, wanted):
    pages = User("me", api=api).get_accounts(fields=["tasks", "instagram_business_account"])
    found = [page["instagram_business_account"]["id"] for page in pages if "instagram_business_account" in page]
    assert wanted in found, found
    user = IGUser(wanted, api=api)
    assert user.api_get(fields=["username"])["username"] == "orla.coffee"
    return user


def status(api, container):
    answer = api.call("GET", (container,), params={"fields": "status_code,status"})
    return answer.json()["status_code"]


def publish(user, container):
    return user.create_media_publish(params={"creation_id": container["id"]})["id"]


def publishing(api, user):
    picture = ORIGIN + "/pictures/photo.jpg"
    image = user.create_media(params={"image_url": picture, "caption": "From Python", "alt_text": "A cup"})
    assert status(api, image["id"]) == "FINISHED"
    medium = publish(user, image)

    children = [user.create_media(params={"image_url": picture, "is_carousel_item": True})["id"] for _ in range(2)]
    publish(user, user.create_media(params={"media_type": "CAROUSEL", "children": children, "caption": "Two"}))

    film = {"media_type": "REELS", "video_url": ORIGIN + "/pictures/clip-5000.mp4", "caption": "A clip"}
    reel = user.create_media(params=film)
    refused(9007, 2207027, publish, user, reel)
    assert [status(api, reel["id"]) for _ in range(2)] == ["IN_PROGRESS", "FINISHED"]
    publish(user, reel)

    listed = list(user.get_media(fields=["id", "caption", "media_type", "permalink", "timestamp"], params={"limit": 2}))
    told = [(shown["caption"], shown["media_type"]) for shown in listed]
    assert told == [("A clip", "VIDEO"), ("Two", "CAROUSEL_ALBUM"), ("From Python", "IMAGE")], told
    limit = user.get_content_publishing_limit(fields=["config", "quota_usage"])[0]
    assert limit["quota_usage"] == 3 and limit["config"]["quota_total"] == 100, limit
    return medium


def commenting(api, medium):
    comment = IGMedia(medium, api=api).create_comment(params={"message": "#python"})
    reply = IGComment(comment["id"], api=api).create_reply(params={"message": "And more"})
    found = list(IGMedia(medium, api=api).get_comments(fields=["id", "text", "username", "replies"]))
    assert [one["text"] for one in found] == ["#python"], found
    assert found[0]["replies"]["data"][0]["id"] == reply["id"], found


def refused(code, subcode, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except FacebookRequestError as refusal:
        assert (refusal.api_error_code(), refusal.api_error_subcode()) == (code, subcode), refusal
        return
    raise AssertionError(f"code {code} was expected")


def main():
    api = client()
    user = account(api, sys.argv[1])
    medium = publishing(api, user)
    commenting(api, medium)
    refused(36001, 2207005, user.create_media, params={"image_url": ORIGIN + "/pictures/square.png"})
    refused(24, 2207006, publish, user, {"id": "1"})


main()
