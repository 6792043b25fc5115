import { createRoot } from "react-dom/client";
import { App } from "./App";
import { Speaking } from "./i18n";
import { takeToken } from "./server";
import { showTheme, theme } from "./theme";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/start.css";
import "./styles/meeting.css";
import "./styles/editor.css";

takeToken(new URL(location.href));
showTheme(theme());
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <Speaking>
      <App />
    </Speaking>,
  );
}
