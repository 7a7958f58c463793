"use strict";
(() => {
  const packets = [...document.querySelectorAll(".packets > details")];
  const unfold = (open) => packets.forEach((packet) => { packet.open = open; });

  // A link to a packet, from the ladder or from outside, unfolds it and takes the keyboard there.
  const arrive = () => {
    const packet = /^#p\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
    if (!packet) return;
    packet.open = true;
    // The browser itself goes to the place first, and takes the keyboard away.
    setTimeout(() => {
      packet.scrollIntoView();
      packet.querySelector("summary").focus({ preventScroll: true });
    });
  };

  document.querySelector(".buttons").hidden = false;
  document.getElementById("unfold").addEventListener("click", () => unfold(true));
  document.getElementById("fold").addEventListener("click", () => unfold(false));
  addEventListener("hashchange", arrive);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link && link.getAttribute("href") === location.hash) arrive();
  });

  // On paper everything is unfolded; afterwards what was folded is folded again.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = packets.filter((packet) => !packet.open);
    unfold(true);
  });
  addEventListener("afterprint", () => folded.forEach((packet) => { packet.open = false; }));
  arrive();
})();
