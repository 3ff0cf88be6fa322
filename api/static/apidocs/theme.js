// Dark or light, as the system says, before the page is painted: Swagger UI is dark below html.dark-mode.
const darkness = matchMedia("(prefers-color-scheme: dark)");
const followDarkness = () => document.documentElement.classList.toggle("dark-mode", darkness.matches);
followDarkness();
darkness.addEventListener("change", followDarkness);
