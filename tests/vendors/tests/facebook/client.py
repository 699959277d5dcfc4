"""Calls the simulator through Facebook's own client, and fails where that cannot read an answer or reads another one.

`FACEBOOK_ORIGIN`, `FACEBOOK_TOKEN`, `FACEBOOK_APP_ID` and `FACEBOOK_APP_SECRET` say where and as whom; the argument
is a photo.
"""

import json
import os
import sys
import urllib.request

from facebook_business.adobjects.comment import Comment
from facebook_business.adobjects.page import Page
from facebook_business.adobjects.pagepost import PagePost
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

ORIGIN = os.environ["FACEBOOK_ORIGIN"]
FacebookSession.GRAPH = ORIGIN


def client(token, secret=os.environ["FACEBOOK_APP_SECRET"]):
    session = FacebookSession(os.environ["FACEBOOK_APP_ID"], secret, token)
    return FacebookAdsApi(session, api_version="v26.0")


def pages(api):
    me = User("me", api=api)
    assert me.api_get(fields=["id", "name"])["name"] == "Orla Demo"
    found = list(me.get_accounts(fields=["id", "name", "access_token", "tasks"], params={"limit": 2}))
    assert [page["name"] for page in found] == ["Orla Coffee", "Orla Roastery", "Orla Archive"], found
    assert found[2]["tasks"] == ["ANALYZE"]
    granted = {line["permission"] for line in me.get_permissions() if line["status"] == "granted"}
    assert "pages_manage_posts" in granted
    return found[0]


def posting(page, photo):
    post = page.create_feed(params={"message": "Hello from Python", "link": "https://example.com/a"})
    shown = PagePost(post["id"], api=page.get_api()).api_get(fields=["message", "permalink_url", "from"])
    assert shown["message"] == "Hello from Python" and shown["from"]["name"] == "Orla Coffee", shown

    api = page.get_api()
    with open(photo, "rb") as file:
        params = {"published": False, "alt_text_custom": "Two hills"}
        sent = api.call("POST", (page["id"], "photos"), params=params, files={"source": file}).json()
    fetched = page.create_photo(params={"url": ORIGIN + "/pictures/square.png", "published": False})
    both = [{"media_fbid": sent["id"]}, {"media_fbid": fetched["id"]}]
    page.create_feed(params={"message": "Two photos", "attached_media": both})
    page.create_photo(params={"url": ORIGIN + "/pictures/photo.jpg", "caption": "One photo"})

    for number in range(3):
        page.create_feed(params={"message": f"number {number}"})
    listed = page.get_published_posts(fields=["id", "message"], params={"limit": 2})
    assert [shown["message"] for shown in listed] == [
        "number 2", "number 1", "number 0", "One photo", "Two photos", "Hello from Python",
    ]
    return post["id"]


def video(page):
    api, edge = page.get_api(), (page["id"], "videos")
    with urllib.request.urlopen(ORIGIN + "/pictures/clip-50000.mp4") as answer:
        content = answer.read()
    started = api.call("POST", edge, params={"upload_phase": "start", "file_size": len(content)}).json()
    session = {"upload_session_id": started["upload_session_id"]}
    chunk = {"video_file_chunk": ("chunk", content)}
    params = {"upload_phase": "transfer", "start_offset": started["start_offset"], **session}
    rest = api.call("POST", edge, params=params, files=chunk).json()
    assert rest["start_offset"] == rest["end_offset"] == str(len(content))
    assert api.call("POST", edge, params={"upload_phase": "finish", "description": "A clip", **session}).is_success()
    states = [api.call("GET", (started["video_id"],), params={"fields": "status"}).json() for _ in range(2)]
    assert [state["status"]["video_status"] for state in states] == ["processing", "ready"]


def comments(page, post_id):
    api = page.get_api()
    content = json.dumps({"below": post_id, "author": "Ann", "message": "Nice"}).encode()
    with urllib.request.urlopen(ORIGIN + "/_sim/facebook/comments", data=content) as answer:
        theirs = json.load(answer)
    reply = Comment(theirs, api=api).create_comment(params={"message": "Thank you"})
    PagePost(post_id, api=api).create_comment(params={"message": "And more"})
    params = {"filter": "stream", "order": "reverse_chronological", "limit": 2}
    found = PagePost(post_id, api=api).get_comments(fields=["id", "message", "parent", "from"], params=params)
    found = list(found)
    assert [comment["message"] for comment in found] == ["And more", "Thank you", "Nice"], found
    assert found[1]["id"] == reply["id"] and found[1]["parent"]["id"] == theirs


def deleting(page, post_id):
    post = PagePost(post_id, api=page.get_api())
    post.api_delete()
    refused(100, 33, post.api_get)


def refused(code, subcode, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except FacebookRequestError as refusal:
        assert (refusal.api_error_code(), refusal.api_error_subcode()) == (code, subcode), refusal
        return
    raise AssertionError(f"code {code} was expected")


def main():
    api = client(os.environ["FACEBOOK_TOKEN"])
    found = pages(api)
    page = Page(found["id"], api=client(found["access_token"]))
    post_id = posting(page, sys.argv[1])
    video(page)
    comments(page, post_id)
    deleting(page, post_id)
    refused(210, None, Page(found["id"], api=api).create_feed, params={"message": "x"})
    refused(100, None, page.create_feed, params={"published": True})
    refused(190, None, User("me", api=client("EAAnobody")).api_get)
    refused(100, None, User("me", api=client(found["access_token"], secret=None)).api_get)
    wrong = client(found["access_token"], secret="wrong")
    refused(100, None, User("me", api=wrong).api_get)


main()
