#pragma once

#include <string>
#include <utility>
#include <vector>

#include "region/network/region_count.h"

namespace asap::region {

/// What the page of `relu-fit regions` shows.
struct RegionPage {
  std::string title;                                       ///< of the network
  std::vector<std::pair<std::string, std::string>> facts;  ///< names and values of the table
  std::string picture;                                     ///< SVG
  std::string caption;
  std::vector<std::pair<numerics::Interval, double>> pieces;  ///< intervals with their slopes
};

/// A complete HTML page that needs no other file and follows the reader's light or dark setting.
/// All texts are escaped; the picture is not.
std::string region_page(const RegionPage& page);

/// An SVG picture of a function along an interval: its straight pieces, with a mark at every
/// breakpoint. x, y: [breakpoints].
std::string draw_pieces(const std::vector<double>& x, const std::vector<double>& y,
                        const std::string& x_name);

}  // namespace asap::region
