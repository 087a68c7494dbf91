#pragma once

#include <string>
#include <utility>
#include <vector>

#include "evaluate/draw/page_parts.h"

namespace asap::evaluate {

/// What a page consists of.
struct Page {
  std::string title;
  std::string subtitle;                  ///< text under the title
  std::string content;                   ///< HTML that follows
  io::Json charts = io::Json::object();  ///< by the names of the figures: see chart_json.h
  io::Json plans = nullptr;              ///< see gallery_json.h; null: there are none
};

/// A complete page that needs no other file and follows the reader's light or dark setting, or a
/// button. With a library its charts answer to the pointer; without, the SVG in its figures stays.
std::string html_page(const Page& page, const PlotLibrary& library);

/// A table row of cells (`cell` is th or td) whose values are text, not HTML.
std::string html_row(const std::string& cell, const std::vector<std::string>& values,
                     const std::string& css_class = "");

/// A table that scrolls sideways where the screen is narrow. `rows`: HTML.
std::string html_table(const std::string& rows, const std::string& css_class = "");

/// A heading and what follows it (HTML); nothing where nothing follows.
std::string html_section(const std::string& title, const std::string& content);

/// A picture with its caption (text). The script draws charts[name] in place of `svg`.
std::string html_figure(const std::string& name, const std::string& svg,
                        const std::string& caption);

/// A list of texts; nothing for none.
std::string html_list(const std::vector<std::string>& items, const std::string& css_class = "");

/// The section of a report that says how to reproduce it: commands, and facts by their names.
std::string html_provenance(const std::vector<std::string>& commands,
                            const std::vector<std::pair<std::string, std::string>>& facts);

/// A paragraph of text; nothing for an empty one.
std::string html_paragraph(const std::string& text, const std::string& css_class = "");

}  // namespace asap::evaluate
