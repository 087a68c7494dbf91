#include "region/network/region_page.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "base/version.h"

namespace asap::region {
namespace {

constexpr std::size_t kMostPieces = 1000;  // rows of the table
constexpr double kPageWidth = 760, kPageHeight = 380, kPageLeft = 80, kPageRight = 20,
                 kPageTop = 16, kPageBottom = 52;

constexpr const char* kStyle =
    ":root { color-scheme: light dark; }\n"
    "body { font: 16px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 "
    "1em; }\n"
    "table { border-collapse: collapse; }\n"
    "th, td { padding: .2em .8em; text-align: right; border-bottom: 1px solid #8886; }\n"
    "th:first-child, td:first-child { text-align: left; }\n"
    "svg { max-width: 100%; height: auto; }\n"
    "figcaption, footer { color: GrayText; }\n"
    ".pieces { max-height: 30em; overflow-y: auto; }\n";

std::string table_row(const std::string& cell, const std::vector<std::string>& values) {
  std::string html = "<tr>";
  for (const std::string& value : values)
    html += "<" + cell + ">" + base::escape_markup(value) + "</" + cell + ">";
  return html + "</tr>\n";
}

std::string pieces_table(const RegionPage& page) {
  if (page.pieces.empty()) return "";
  std::string rows = table_row("th", {"piece", "from", "to", "slope"});
  const std::size_t shown = std::min(page.pieces.size(), kMostPieces);
  for (std::size_t k = 0; k < shown; ++k) {
    const auto& [interval, slope] = page.pieces[k];
    rows +=
        table_row("td", {std::to_string(k + 1), base::format_significant(interval.low),
                         base::format_significant(interval.high), base::format_significant(slope)});
  }
  std::string html =
      "<h2>Linear regions</h2>\n<div class=\"pieces\"><table>\n" + rows + "</table></div>\n";
  if (shown < page.pieces.size())
    html += "<p>The first " + base::format_count(static_cast<std::int64_t>(shown)) + " of " +
            base::format_count(static_cast<std::int64_t>(page.pieces.size())) +
            "; summary.json holds all of them.</p>\n";
  return html;
}

std::string label_at(double x, double y, const std::string& anchor, const std::string& text) {
  return "<text x=\"" + base::format_fixed(x, 1) + "\" y=\"" + base::format_fixed(y, 1) +
         "\" text-anchor=\"" + anchor + "\">" + base::escape_markup(text) + "</text>\n";
}

std::string line_between(double x1, double y1, double x2, double y2, const std::string& more) {
  return "<line x1=\"" + base::format_fixed(x1, 2) + "\" y1=\"" + base::format_fixed(y1, 2) +
         "\" x2=\"" + base::format_fixed(x2, 2) + "\" y2=\"" + base::format_fixed(y2, 2) + "\" " +
         more + "/>\n";
}

}  // namespace

std::string region_page(const RegionPage& page) {
  std::string facts;
  for (const auto& [name, value] : page.facts) facts += table_row("td", {name, value});
  const std::string title = base::escape_markup(page.title);
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
         "name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         title + "</title>\n<style>\n" + kStyle + "</style>\n</head>\n<body>\n<h1>" + title +
         "</h1>\n<table>\n" + facts + "</table>\n<figure>\n" + page.picture + "<figcaption>" +
         base::escape_markup(page.caption) + "</figcaption>\n</figure>\n" + pieces_table(page) +
         "<footer>relu-fit " + base::escape_markup(base::version()) +
         "</footer>\n</body>\n</html>\n";
}

std::string draw_pieces(const std::vector<double>& x, const std::vector<double>& y,
                        const std::string& x_name) {
  const numerics::Interval across{x.front(), x.back()};
  const auto [least, most] = std::minmax_element(y.begin(), y.end());
  numerics::Interval up{*least, *most};
  if (!(up.low < up.high)) up = {*least - 1, *least + 1};
  const double width = kPageWidth - kPageLeft - kPageRight,
               height = kPageHeight - kPageTop - kPageBottom;
  const auto right = [&](double at) { return kPageLeft + width * across.unit(at); };
  const auto down = [&](double at) { return kPageTop + height * (1 - up.unit(at)); };
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" +
                    base::format_fixed(kPageWidth, 0) + "\" height=\"" +
                    base::format_fixed(kPageHeight, 0) + "\" viewBox=\"0 0 " +
                    base::format_fixed(kPageWidth, 0) + " " + base::format_fixed(kPageHeight, 0) +
                    "\" font-family=\"sans-serif\" font-size=\"13\" fill=\"currentColor\">\n";
  for (const double part : {0.0, 0.5, 1.0}) {
    svg += line_between(kPageLeft, down(up.at(part)), kPageWidth - kPageRight, down(up.at(part)),
                        "stroke=\"currentColor\" stroke-opacity=\".2\"");
    svg += label_at(kPageLeft - 8, down(up.at(part)) + 4, "end",
                    base::format_significant(up.at(part)));
    svg += label_at(right(across.at(part)), kPageTop + height + 28, "middle",
                    base::format_significant(across.at(part)));
  }
  svg += label_at(kPageLeft + width / 2, kPageHeight - 8, "middle", x_name);
  svg += "<g stroke=\"#d62728\" stroke-width=\".7\">\n";
  for (const double at : x)
    svg += line_between(right(at), kPageTop + height + 4, right(at), kPageTop + height + 12, "");
  svg += "</g>\n<polyline fill=\"none\" stroke=\"#1f77b4\" stroke-width=\"1.6\" points=\"";
  for (std::size_t k = 0; k < x.size(); ++k)
    svg += base::format_fixed(right(x[k]), 2) + "," + base::format_fixed(down(y[k]), 2) + " ";
  return svg + "\"/>\n</svg>\n";
}

}  // namespace asap::region
