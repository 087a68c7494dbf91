#pragma once

#include <string>
#include <vector>

namespace asap {

/// A complete page that follows the reader's light or dark setting. `content` is HTML that follows
/// the title.
std::string html_page(const std::string& title, const std::string& content);

/// A table row of cells (`cell` is th or td) whose values are text, not HTML.
std::string html_row(const std::string& cell, const std::vector<std::string>& values,
                     const std::string& css_class = "");

}  // namespace asap
