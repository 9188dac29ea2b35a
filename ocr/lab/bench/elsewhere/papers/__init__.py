"""Vietnamese identity papers as HTML, one function for each kind of paper."""

from papers.cards import cmnd, cccd, cccd_2016, can_cuoc
from papers.sheets import ct07, khai_sinh, passport

DRAWERS = {
    "cccd": cccd,
    "cccd-2016": cccd_2016,
    "can-cuoc": can_cuoc,
    "cmnd": cmnd,
    "passport": passport,
    "khai-sinh": khai_sinh,
    "ct07": ct07,
}


def draw_paper(rng, kind, person):
    """The sides of a paper of this kind made out to the person, front first, as a list of Side."""
    return DRAWERS[kind](rng, person)
