#include "evaluate/draw/html.h"

#include "evaluate/draw/svg_chart.h"

namespace asap::evaluate {
namespace {

std::string attribute(const std::string& css_class) {
  return css_class.empty() ? "" : " class=\"" + css_class + "\"";
}

std::string scripts(const Page& page, const PlotLibrary& library) {
  const io::Json data = {{"charts", page.charts}, {"plans", page.plans}};
  std::string text = "<script type=\"application/json\" id=\"report-data\">" + script_json(data) +
                     "</script>\n" + script_element(page_files::kTheme);
  if (!library.code.empty() && !page.charts.empty())
    text += script_element(library.code) + script_element(page_files::kCharts);
  if (!page.plans.is_null()) text += script_element(page_files::kPlans);
  return text;
}

}  // namespace

std::string html_page(const Page& page, const PlotLibrary& library) {
  std::string html =
      "<!doctype html>\n<html lang=\"en\" class=\"no-script\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>" +
      base::escape_markup(page.title) + "</title>\n<style>";
  html += page_files::kStyle;
  html += "</style>\n</head>\n<body>\n<main>\n<header><div><h1>" + base::escape_markup(page.title) +
          "</h1>\n" + html_paragraph(page.subtitle, "soft") +
          "</div><button type=\"button\" class=\"theme\" aria-label=\"light or dark\">Dark</button>"
          "</header>\n";
  return html + page.content + "</main>\n" + scripts(page, library) + "</body>\n</html>\n";
}

std::string html_row(const std::string& cell, const std::vector<std::string>& values,
                     const std::string& css_class) {
  std::string row = "<tr" + attribute(css_class) + ">";
  for (const std::string& value : values)
    row += "<" + cell + ">" + base::escape_markup(value) + "</" + cell + ">";
  return row + "</tr>\n";
}

std::string html_table(const std::string& rows, const std::string& css_class) {
  return "<div class=\"scroll\"><table" + attribute(css_class) + ">\n" + rows + "</table></div>\n";
}

std::string html_section(const std::string& title, const std::string& content) {
  return content.empty() ? "" : "<h2>" + base::escape_markup(title) + "</h2>\n" + content;
}

std::string html_figure(const std::string& name, const std::string& svg,
                        const std::string& caption) {
  return "<figure data-chart=\"" + base::escape_markup(name) + "\"><div class=\"drawing\">\n" +
         svg + "</div><figcaption>" + base::escape_markup(caption) + "</figcaption></figure>\n";
}

std::string html_list(const std::vector<std::string>& items, const std::string& css_class) {
  if (items.empty()) return "";
  std::string list = "<ul" + attribute(css_class) + ">\n";
  for (const std::string& item : items) list += "<li>" + base::escape_markup(item) + "</li>\n";
  return list + "</ul>\n";
}

std::string html_provenance(const std::vector<std::string>& commands,
                            const std::vector<std::pair<std::string, std::string>>& facts) {
  std::string lines, rows;
  for (const std::string& command : commands) lines += base::escape_markup(command) + "\n";
  for (const auto& [name, value] : facts) rows += html_row("td", {name, value});
  return html_section("How to reproduce this report",
                      "<pre>" + lines + "</pre>\n" + html_table(rows, "facts"));
}

std::string html_paragraph(const std::string& text, const std::string& css_class) {
  return text.empty() ? ""
                      : "<p" + attribute(css_class) + ">" + base::escape_markup(text) + "</p>\n";
}

}  // namespace asap::evaluate
