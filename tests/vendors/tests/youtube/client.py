"""Calls the simulator through Google's own client, and fails where that cannot read an answer or reads something else.

`YOUTUBE_ORIGIN` says where, `YOUTUBE_REFRESH_TOKEN`, `YOUTUBE_CLIENT_ID` and `YOUTUBE_CLIENT_SECRET` as whom. The client is
built from the discovery document that it comes with, in which Google's origin is replaced: uploads go nowhere else then.
"""

import io
import json
import os
import urllib.request

import google_auth_httplib2
import httplib2
from google.oauth2.credentials import Credentials
from googleapiclient import discovery_cache
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaIoBaseUpload

ORIGIN = os.environ["YOUTUBE_ORIGIN"]
GRANULE = 256 << 10


def control(path, body):
    request = urllib.request.Request(f"{ORIGIN}/_sim/youtube/{path}", data=json.dumps(body).encode(), method="POST")
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).read()


def client():
    document = json.loads(discovery_cache.get_static_doc("youtube", "v3"))
    document["rootUrl"] = f"{ORIGIN}/"
    document["baseUrl"] = f"{ORIGIN}/"
    document.pop("mtlsRootUrl", None)
    credentials = Credentials(
        None,
        refresh_token=os.environ["YOUTUBE_REFRESH_TOKEN"],
        token_uri=f"{ORIGIN}/token",
        client_id=os.environ["YOUTUBE_CLIENT_ID"],
        client_secret=os.environ["YOUTUBE_CLIENT_SECRET"],
    )
    plain = httplib2.Http(proxy_info=None)
    # 308 is no redirect here, as the client says itself where it makes this object.
    plain.redirect_codes = set(plain.redirect_codes) - {308}
    return build_from_document(document, http=google_auth_httplib2.AuthorizedHttp(credentials, http=plain))


class Film(MediaIoBaseUpload):
    """Stretches as bytes: httplib2 sends once more what a line broke off, and would find a stream at its end."""

    def has_stream(self):
        return False


def film(size):
    return (b"\0\0\0\x18ftypisom" + bytes(at % 251 for at in range(size)))[:size]


def insert(api, size, **more):
    media = Film(io.BytesIO(film(size)), mimetype="video/mp4", chunksize=GRANULE, resumable=True)
    body = {
        "snippet": {"title": "Bread", "description": "How we bake", "tags": ["bread"], "categoryId": "22"},
        "status": {"privacyStatus": "public", "selfDeclaredMadeForKids": False},
    }
    return api.videos().insert(part="snippet,status", body=body, media_body=media, **more)


def uploading(api):
    request = insert(api, 2 * GRANULE + 9, notifySubscribers=False)
    status, video = request.next_chunk()
    assert video is None and status.resumable_progress == GRANULE, status
    status, video = request.next_chunk()
    assert video is None and status.resumable_progress == 2 * GRANULE
    _, video = request.next_chunk()
    assert len(video["id"]) == 11 and video["status"]["uploadStatus"] == "uploaded", video
    for expected in ("uploaded", "processed"):
        told = api.videos().list(part="snippet,status", id=video["id"]).execute()["items"][0]
        assert told["status"]["uploadStatus"] == expected, told
    assert told["snippet"]["tags"] == ["bread"] and told["status"]["selfDeclaredMadeForKids"] is False
    return video["id"]


def resuming(api):
    """The second stretch is cut within. If httplib2 sends it once more, it is in the wrong place; the client asks where to go on."""
    request = insert(api, 4 * GRANULE + 9)
    request.next_chunk()
    cut = {"method": "PUT", "path": "/upload/youtube/v3/videos", "mode": {"cut_within": {"bytes": 2 * GRANULE + 5}}}
    control("faults", cut)
    request.resumable._chunksize = 3 * GRANULE
    try:
        request.next_chunk()
    except OSError:
        pass
    except HttpError as refusal:
        assert refusal.status_code == 400, refusal
    else:
        raise AssertionError("the stretch should have been cut")
    request.resumable._chunksize = GRANULE
    status, video = request.next_chunk()
    assert video is None and status.resumable_progress == 4 * GRANULE, status
    while video is None:
        _, video = request.next_chunk()
    return video["id"]


def commenting(api, video):
    snippet = {"videoId": video, "topLevelComment": {"snippet": {"textOriginal": "First!"}}}
    thread = api.commentThreads().insert(part="snippet", body={"snippet": snippet}).execute()
    reply = {"snippet": {"parentId": thread["id"], "textOriginal": "Second"}}
    reply = api.comments().insert(part="snippet", body=reply).execute()
    assert reply["id"].startswith(thread["id"] + "."), reply
    threads = api.commentThreads()
    request = threads.list(part="snippet,replies", videoId=video, order="time", textFormat="plainText", maxResults=100)
    listed = request.execute()
    assert listed["items"][0]["replies"]["comments"][0]["snippet"]["textOriginal"] == "Second"
    assert threads.list_next(request, listed) is None
    assert len(api.comments().list(part="snippet", parentId=thread["id"]).execute()["items"]) == 1


def refused(reason, request):
    try:
        request.execute()
    except HttpError as refusal:
        assert refusal.error_details[0]["reason"] == reason, refusal
        return
    raise AssertionError(f"{reason} was expected")


def main():
    api = client()
    channel = api.channels().list(part="snippet,contentDetails", mine=True).execute()["items"][0]
    assert channel["snippet"]["title"] == "Orla Coffee"
    video = uploading(api)
    uploads = channel["contentDetails"]["relatedPlaylists"]["uploads"]
    items = api.playlistItems().list(part="snippet", playlistId=uploads).execute()["items"]
    assert items[0]["snippet"]["resourceId"]["videoId"] == video
    picture = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{ORIGIN}/pictures/square.png").read()
    media = MediaIoBaseUpload(io.BytesIO(picture), mimetype="image/png")
    assert api.thumbnails().set(videoId=video, media_body=media).execute()["items"][0]["default"]["width"] == 120
    commenting(api, video)
    resuming(api)
    control("expire_access_tokens", None)
    refused("videoNotFound", api.commentThreads().list(part="snippet", videoId="nothing"))
    api.videos().delete(id=video).execute()
    refused("videoNotFound", api.videos().delete(id=video))


main()
