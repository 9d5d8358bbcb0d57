import sys
from playwright.sync_api import sync_playwright
link, out, *paths = sys.argv[1:]
base = link.split("/enter")[0]
with sync_playwright() as p:
    b = p.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox","--disable-gpu","--disable-background-networking"])
    pg = b.new_page(viewport={"width": 1100, "height": 1400})
    pg.goto(link)
    n = 0
    def show():
        global n
        for d in pg.query_selector_all("details"): d.evaluate("e=>e.open=true")
        print("=====", pg.url, pg.title()); print(pg.inner_text("body")); 
        pg.screenshot(path=f"{out}{n}.png", full_page=True); n += 1
    if pg.query_selector("form") and "enter" in pg.url:
        print(pg.inner_text("body"))
        pg.query_selector("button").click(); pg.wait_for_load_state()
    show()
    print([a.get_attribute("href") for a in pg.query_selector_all("a")])
    for q in paths:
        pg.goto(base + q); show()
        print([a.get_attribute("href") for a in pg.query_selector_all("a")])
    b.close()
