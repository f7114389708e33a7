// Builds frontend/static/build/{main.js,main.css,images/}. `node build.mjs` once; `node build.mjs --watch` while styling.
import { cp, mkdir, writeFile } from "node:fs/promises";
import { watch } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import * as esbuild from "esbuild";
import * as sass from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const out = join(here, "static", "build");

async function scripts() {
  await esbuild.build({
    entryPoints: [join(here, "src", "main.js")],
    outfile: join(out, "main.js"),
    bundle: true,
    format: "iife",
    minify: true,
    target: ["chrome100", "firefox100", "safari15"],
    legalComments: "none",
    logLevel: "warning",
  });
}

async function styles() {
  const leafletCss = join(modules, "leaflet", "dist", "leaflet.css");
  const { css } = await sass.compileAsync(join(here, "styles", "main.scss"), {
    loadPaths: [modules],
    style: "compressed",
    quietDeps: true,
    importers: [
      {
        // A plain CSS file is inlined, so that the page asks for one sheet.
        findFileUrl: (url) => (url === "leaflet" ? pathToFileURL(leafletCss) : null),
      },
    ],
  });
  await writeFile(join(out, "main.css"), css);
  await cp(join(modules, "leaflet", "dist", "images"), join(out, "images"), { recursive: true });
  // Of the design system's pictures only the small icons that its sheet names: never a logo.
  const pictures = join(modules, "nhsuk-frontend", "dist", "nhsuk", "assets", "images");
  for (const [, name] of new Set(css.matchAll(/images\/(nhsuk-icon-[a-z-]+\.svg)/g))) {
    await cp(join(pictures, name), join(out, "images", name));
  }
}

async function build() {
  await mkdir(out, { recursive: true });
  await Promise.all([scripts(), styles()]);
}

await build();

if (process.argv.includes("--watch")) {
  for (const folder of ["src", "styles"]) {
    watch(join(here, folder), { recursive: true }, () => build().catch((error) => console.error(error.message)));
  }
}
