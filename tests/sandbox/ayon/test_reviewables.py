"""Reviewables at the fake AYON server."""

from __future__ import annotations

import requests

from tests.sandbox.ayon.client import KEY


def test_every_upload_adds_a_reviewable_and_the_media_type_decides_its_availability(served, create_entity):
    folder = create_entity("folder", name="assets")
    product = create_entity("product", name="render", folderId=folder)
    version = create_entity("version", version=1, productId=product)
    url = f"{served.base_url}/api/projects/film/versions/{version}/reviewables"

    def upload(media_type: str) -> requests.Response:
        headers = {**KEY, "Content-Type": media_type, "X-File-Name": "review"}
        return requests.post(url, data=b"...", headers=headers, timeout=60)

    media_types = ("image/png", "image/png", "video/mp4", "video/quicktime")
    assert [upload(media_type).status_code for media_type in media_types] == [200] * 4
    rejected = upload("text/plain")
    assert (rejected.status_code, rejected.json()["detail"]) == (
        400,
        "Only videos and images are supported for reviewables now",
    )
    reviewables = requests.get(url, headers=KEY, timeout=60).json()["reviewables"]
    availability = [reviewable["availability"] for reviewable in reviewables]
    assert availability == ["ready", "ready", "conversionRecommended", "conversionRequired"]
    assert len({reviewable["activityId"] for reviewable in reviewables}) == 4
