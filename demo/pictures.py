"""PNG pictures of a circle before a sky."""

from __future__ import annotations

import io
from random import Random

from PIL import Image, ImageChops, ImageDraw

WIDTH, HEIGHT = 192, 128
MAX_GRAIN = 8  # brightness of the film grain, which makes the files as large as real ones


def draw_picture(random: Random) -> bytes:
    """Return a PNG picture that differs with each call.

    :param random: the generator of colours, places and grain
    """
    picture = Image.merge("RGB", [_draw_gradient(shade) for shade in _choose_colour(random)])
    radius, centre = random.randrange(20, 40), (random.randrange(40, WIDTH - 40), random.randrange(40, HEIGHT - 40))
    ImageDraw.Draw(picture).circle(centre, radius, fill=_choose_colour(random))
    grain = Image.frombytes("L", (WIDTH, HEIGHT), random.randbytes(WIDTH * HEIGHT)).point(
        lambda value: value % MAX_GRAIN
    )
    file = io.BytesIO()
    ImageChops.add(picture, Image.merge("RGB", [grain] * 3)).save(file, "PNG")
    return file.getvalue()


def _draw_gradient(shade: int) -> Image.Image:
    """Return one colour channel of the sky, dark at the top."""
    return Image.linear_gradient("L").resize((WIDTH, HEIGHT)).point(lambda value: shade // 2 + shade * value // 512)


def _choose_colour(random: Random) -> tuple[int, int, int]:
    return random.randrange(80, 240), random.randrange(80, 240), random.randrange(80, 240)
