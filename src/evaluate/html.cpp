#include "evaluate/html.h"

#include "evaluate/svg_chart.h"

namespace asap {
namespace {

const char* const kPageStyle = R"(
:root{color-scheme:light dark;--back:#fff;--text:#222;--soft:#667;--line:#ddd;--card:#f5f6f8}
@media(prefers-color-scheme:dark){:root{--back:#16181c;--text:#e4e6ea;--soft:#9aa;--line:#3a3f47;--card:#20242a}}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:46rem;margin:auto;padding:1rem}
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
.soft{color:var(--soft)}.cards{display:flex;flex-wrap:wrap;gap:.75rem;margin:1rem 0}
.card{flex:1 1 9rem;background:var(--card);border-radius:.5rem;padding:.75rem}
.card b{display:block;font-size:1.5rem}.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}tr.subject{font-weight:600}
svg{width:100%;height:auto}pre{background:var(--card);padding:.75rem;border-radius:.5rem;overflow-x:auto}
)";

}  // namespace

std::string html_page(const std::string& title, const std::string& content) {
  std::string page =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>" +
      escape_markup(title) + "</title>\n<style>";
  page += kPageStyle;
  page += "</style>\n</head>\n<body>\n<main>\n<h1>" + escape_markup(title) + "</h1>\n";
  return page + content + "</main>\n</body>\n</html>\n";
}

std::string html_row(const std::string& cell, const std::vector<std::string>& values,
                     const std::string& css_class) {
  std::string row = css_class.empty() ? "<tr>" : "<tr class=\"" + css_class + "\">";
  for (const std::string& value : values)
    row += "<" + cell + ">" + escape_markup(value) + "</" + cell + ">";
  return row + "</tr>\n";
}

}  // namespace asap
