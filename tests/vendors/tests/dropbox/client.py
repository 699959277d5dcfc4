"""Calls the simulator through Dropbox's own client, and fails where that cannot read an answer or reads something else.

`DROPBOX_ORIGIN` says where, `DROPBOX_REFRESH_TOKEN` and `DROPBOX_ACCESS_TOKEN` with which tokens. The client takes its
hosts from `DROPBOX_API_HOST` and the like, but insists on https, which an adapter turns into http.
"""

import hashlib
import os
import urllib.request

import dropbox
import requests
from dropbox.exceptions import ApiError, AuthError, BadInputError, RateLimitError
from dropbox.files import FileMetadata, FolderMetadata, SearchOptions
from requests.adapters import HTTPAdapter

ORIGIN = os.environ["DROPBOX_ORIGIN"]


class Plain(HTTPAdapter):
    def send(self, request, **options):
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, **options)


def session():
    plain = requests.Session()
    plain.trust_env = False
    plain.mount("https://", Plain())
    return plain


def client(**keys):
    return dropbox.Dropbox(session=session(), max_retries_on_error=0, max_retries_on_rate_limit=0, **keys)


def control(path, body):
    request = urllib.request.Request(f"{ORIGIN}/_sim/dropbox/{path}", data=body.encode(), method="POST")
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).read()


def reading(api):
    me = api.users_get_current_account()
    assert me.name.display_name == "Orla Demo" and len(me.account_id) == 40, me
    assert me.root_info.root_namespace_id == me.root_info.home_namespace_id

    page = api.files_list_folder("", limit=2)
    entries = page.entries
    while page.has_more:
        page = api.files_list_folder_continue(page.cursor)
        entries += page.entries
    assert [entry.name for entry in entries] == ["Clip.mp4", "Größe “M” 🦀.png", "Many", "Plan.gdoc"], entries
    clip, picture, many, plan = entries
    assert isinstance(clip, FileMetadata) and isinstance(many, FolderMetadata)
    assert clip.size == 5 << 20 and clip.is_downloadable and clip.client_modified.year == 2026
    assert not plan.is_downloadable and plan.export_info.export_as == "docx"
    assert len(api.files_list_folder("", recursive=True).entries) == 9
    assert api.files_get_metadata(picture.id) == picture
    assert api.files_list_folder_continue(page.cursor).entries == []
    return clip, picture, plan


def searching(api):
    page = api.files_search_v2("m", options=SearchOptions(max_results=1, filename_only=True))
    found = page.matches
    while page.has_more:
        page = api.files_search_continue_v2(page.cursor)
        found += page.matches
    names = [match.metadata.get_metadata().name for match in found]
    assert names == ["Clip.mp4", "Größe “M” 🦀.png", "Many"], names
    assert found[0].match_type.is_filename()


def content_hash(data):
    blocks = (data[at : at + (4 << 20)] for at in range(0, len(data), 4 << 20))
    return hashlib.sha256(b"".join(hashlib.sha256(block).digest() for block in blocks)).hexdigest()


def downloading(api, clip, picture):
    for file in (clip, picture):
        metadata, response = api.files_download(file.path_lower)
        assert metadata == file, metadata
        assert len(response.content) == file.size and content_hash(response.content) == file.content_hash
    answer = api.files_get_temporary_link(picture.path_lower)
    assert answer.metadata == picture
    response = session().get(answer.link)
    assert response.headers["content-type"] == "image/png" and content_hash(response.content) == picture.content_hash


def refused(error, call, *arguments):
    try:
        call(*arguments)
    except error as refusal:
        return refusal
    raise AssertionError(f"{error.__name__} was expected")


def refusals(api, plan):
    assert refused(ApiError, api.files_download, plan.path_lower).error.is_unsupported_file()
    assert refused(ApiError, api.files_list_folder, "/nowhere").error.get_path().is_not_found()
    assert "empty string" in str(refused(BadInputError, api.files_list_folder, "/"))
    assert refused(AuthError, client(oauth2_access_token="sl.nobody").users_get_current_account).error.is_invalid_access_token()
    wrong = client(oauth2_refresh_token="nobody", app_key="orla-demo", app_secret="orla-demo-secret")
    assert refused(AuthError, wrong.users_get_current_account).error.is_invalid_access_token()
    wrong = client(oauth2_refresh_token=os.environ["DROPBOX_REFRESH_TOKEN"], app_key="orla-demo", app_secret="guess")
    assert "invalid_client" in str(refused(BadInputError, wrong.users_get_current_account))

    limit = '{"reason": {".tag": "too_many_requests"}, "retry_after": 7}'
    canned = f'{{"status": 429, "retry_after_s": 7, "body": {{"error_summary": "x", "error": {limit}}}}}'
    control("faults", f'{{"method": "*", "path": "**", "mode": {{"status": {canned}}}}}')
    assert refused(RateLimitError, api.users_get_current_account).backoff == 7


def main():
    given = client(oauth2_access_token=os.environ["DROPBOX_ACCESS_TOKEN"])
    assert len(given.files_list_folder("/many").entries) == 5
    keys = {"app_key": "orla-demo", "app_secret": "orla-demo-secret"}
    api = client(oauth2_refresh_token=os.environ["DROPBOX_REFRESH_TOKEN"], **keys)
    clip, picture, plan = reading(api)
    searching(api)
    downloading(api, clip, picture)
    refusals(api, plan)

    control("expire_access_tokens", "")
    assert refused(AuthError, given.users_get_current_account).error.is_expired_access_token()
    api.users_get_current_account()
    scoped = client(oauth2_refresh_token=os.environ["DROPBOX_REFRESH_TOKEN"], scope=["account_info.read"], **keys)
    assert refused(AuthError, scoped.files_list_folder, "").error.is_missing_scope()
    api.auth_token_revoke()
    assert refused(AuthError, api.users_get_current_account).error.is_invalid_access_token()


main()
