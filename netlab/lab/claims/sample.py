"""The files of the sample site (`netlab.web.sample`) by SHA-256, as a verifier knows them without any site."""

DIGESTS = {
    "/drawings/alarm.gif": "c122730dec6b44d3379fdf2a91ee0d24db2e9094d24bedcc42e96529d1273c15",
    "/drawings/close.png": "63894e519c2807cc86853cc1b329bab8d3ce1c92ded17e072ca4bf06caafe510",
    "/drawings/handshake.png": "56c90a69e45ac7a6a49d0f18c39b64278f86f2e833c22f604fee1a190e829e13",
    "/drawings/layers.png": "90f23d255ef8daff958c529fb48bd27af0646ff842e56c807d2cc2544cdd5907",
    "/drawings/ping.gif": "41d5190413dc938c2a67096b98134dfb6aea58fb60e15f9dda6bf39197859ac4",
    "/drawings/sliding.png": "f620360bff18e55ef02ea85fc35e06b2e782dd7d2157641500e8456c9b755075",
    "/gallery.html": "5751dea8e6acda12f714b4cf04268e33762a354d21e364ca273b7675abad7cb7",
    "/images/congestion.png": "8d13a26ca49f338687c1cc0fa18ab3cd6faea12f4620bac08ab5c64ff91f3fa2",
    "/images/interference.png": "ca67e6af19a8be813389cef0586c1c606585d02003d7d780c26d17b5593103cc",
    "/images/mandelbrot.png": "31f09ecbf96e0f551d3c183a0c48a5622ebc9ed5328566dcdb2760dacb98369a",
    "/images/noise.png": "574bf31419ad1110f7511a346d1723600a65d15eb903cc8f3883ded5334b1dc6",
    "/images/packets.png": "ba8a3bac45026fcd79d32f264c3b505cb25c2370a14a2e0ac5e272ef43b81d9b",
    "/images/windows.png": "c047bf0b79925e9cb29b427c291b7ee3dd91a03ad513240c657b892f3c394d23",
    "/index.html": "25865ef4f43535254ea1fb3fb589cafbf858522fe992acd4af803bd91044e390",
    "/result.html": "f9e0b868bfcbcb2274bafc29e7ca3065a44c11e8d18711d7491c5c454a357253",
}

#: What the page of images shows, in its order.
IMAGES = (
    "/images/congestion.png",
    "/images/interference.png",
    "/images/mandelbrot.png",
    "/images/noise.png",
    "/images/packets.png",
    "/images/windows.png",
    "/drawings/close.png",
    "/drawings/handshake.png",
    "/drawings/layers.png",
    "/drawings/sliding.png",
    "/drawings/alarm.gif",
    "/drawings/ping.gif",
)
