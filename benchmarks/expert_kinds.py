"""What tells whether a wider kind is right: words of captions and types of products."""

from __future__ import annotations

from textcentric.experts.picture_kinds import WIDE_KINDS

_WORDS = {
    "a garment": "shirt shirts tshirt blouse jersey jerseys sweater sweatshirt hoodie jacket"
    " jackets coat vest dress dresses skirt gown robe robes suit pants shorts jeans trunks bikini"
    " swimsuit swimsuits leotard uniform uniforms costume costumes outfit outfits clothes clothing"
    " wearing dressed clothed",
    "a shoe": "shoe shoes boot boots sandals sneakers cleats heels",
    "a bag": "bag bags backpack backpacks purse handbag suitcase luggage",
    "a vehicle": "vehicle vehicles car cars racecar taxi suv jeep truck trucks van bus cart kart"
    " buggy wagon tractor train atv wheeler bike bikes bicycle bicycles bicyclist bicyclists"
    " cyclist cyclists biker bikers rider riders unicycle tricycle scooter motorbike motorcycle"
    " motorcycles motorcyclist motorcyclists motocross dirtbike race racing boat boats sailboat"
    " speedboat ship raft canoe kayak kayaker plane airplane snowmobile sled",
    "mountains or cliffs": "mountain mountains hill hills peak valley canyon cliff cliffs rock"
    " rocks rocky boulder climber climbing climbs snowy",
    "a shore": "beach shore shoreline coast seashore ocean sea waves wave surf lake river water"
    " sand pier dock",
}
KIND_WORDS = {kind: frozenset(_WORDS[kind].split()) for kind in WIDE_KINDS}
_SHOES = "Casual Shoes,Sports Shoes,Formal Shoes,Heels,Flats,Sandals,Sports Sandals,Flip Flops"
_GARMENTS = (
    "Tshirts,Shirts,Tops,Sweatshirts,Jackets,Dresses,Track Pants,Trousers,Capris,Shorts,Swimwear,"
    "Socks"
)
KIND_PRODUCTS = {
    "a garment": frozenset(_GARMENTS.split(",")),
    "a shoe": frozenset(_SHOES.split(",")),
    "a bag": frozenset(("Backpacks", "Handbags", "Duffel Bag")),
}
