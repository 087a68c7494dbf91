#include "evaluate/report/region_report.h"

#include <algorithm>

#include "base/counted.h"
#include "base/files.h"
#include "base/format.h"
#include "base/processor.h"
#include "base/text.h"
#include "base/version.h"
#include "evaluate/draw/chart_json.h"
#include "evaluate/draw/html.h"

namespace asap::evaluate {
namespace {

constexpr std::int64_t kMostGroups = 12;

std::vector<std::string> count_row(const std::string& name, const CountRange& range) {
  return {name, base::format_fixed(range.mean, 1), base::format_count(range.least),
          base::format_count(range.most)};
}

/// What a segment joins.
std::string segment_note(RegionsOf of) {
  switch (of) {
    case RegionsOf::hidden_layers:
      return "A segment joins what the hidden layers behind the convolutions read of two random "
             "test examples; the convolutions are not counted.";
    case RegionsOf::feed_forward:
      return "In each layer, a segment joins the inputs of the feed-forward part for the same "
             "random token of two test examples. Attention and layer norms are not piecewise "
             "linear, so the network as a whole has no linear regions.";
    default:
      return "A segment joins two random test examples in the input space.";
  }
}

/// The beginning of the sentence that says how many regions there are.
std::string counted_words(RegionsOf of) {
  switch (of) {
    case RegionsOf::hidden_layers:
      return "Between two test examples the hidden layers behind the convolutions have ";
    case RegionsOf::feed_forward:
      return "The feed-forward part of a layer has ";
    default:
      return "Between two test examples the network has ";
  }
}

std::string counts_section(const RegionStudy& study) {
  std::string rows = html_row("th", {"regions", "mean", "least", "most"});
  rows += html_row("td", count_row("of a segment", study.along));
  if (study.counts.size() > 1)
    for (std::size_t layer = 0; layer < study.counts.size(); ++layer)
      rows += html_row("td", count_row("of a segment, layer " + std::to_string(layer),
                                       count_range(study.counts[layer])));
  if (study.channels) rows += html_row("td", count_row("of a learned activation", *study.channels));
  std::string note = segment_note(study.of);
  note +=
      " A region is a part of the segment on which the same units are active, so that what is "
      "counted is one affine function there.";
  if (study.channels)
    note += study.follows_peaks
                ? " Learned activations follow their peaks: exactly 2^" +
                      std::to_string(study.depth) + " regions each, by construction."
                : " Learned activations have raw weights: their regions are counted, not known.";
  return html_section("Linear regions", html_table(rows) + html_paragraph(note, "soft"));
}

BarChart layer_chart(const RegionStudy& study) {
  BarChart chart{"Regions by layer", "regions of a segment, mean", 1, {}};
  for (std::size_t layer = 0; layer < study.counts.size(); ++layer)
    chart.bars.push_back({"layer " + std::to_string(layer), count_range(study.counts[layer]).mean,
                          Family::compiled});
  return chart;
}

std::string figure_section(const std::string& name, const BarChart& chart,
                           const std::string& caption, Page& page) {
  page.charts[name] = chart_json(chart);
  return html_section(chart.title, html_figure(name, render_svg(chart), caption));
}

}  // namespace

BarChart region_histogram(const RegionStudy& study) {
  BarChart chart{"Regions of a segment", "segments", 0, {}};
  std::vector<std::int64_t> all;
  for (const auto& own : study.counts) all.insert(all.end(), own.begin(), own.end());
  if (all.empty()) return chart;
  const CountRange range = count_range(all);
  const std::int64_t span = range.most - range.least + 1;
  const std::int64_t width = (span + kMostGroups - 1) / kMostGroups;
  for (std::int64_t first = range.least; first <= range.most; first += width) {
    const std::int64_t last = std::min(first + width - 1, range.most);
    const auto count = std::ranges::count_if(
        all, [&](std::int64_t regions) { return regions >= first && regions <= last; });
    const std::string label = base::format_count(first);
    chart.bars.push_back({first == last ? label : label + " to " + base::format_count(last),
                          static_cast<double>(count), Family::teacher});
  }
  return chart;
}

std::string region_report(const RegionStudy& study, const PlotLibrary& library) {
  Page page{.title = (study.title.empty() ? "" : study.title + ": ") + "linear regions",
            .subtitle = {},
            .content = {}};
  page.subtitle = study.model + ", step " + base::format_count(study.step) + ", accuracy " +
                  base::format_fixed(study.accuracy, 4) + " on " +
                  base::counted(study.examples, "test example") + ".";
  page.content +=
      html_paragraph(counted_words(study.of) + base::format_fixed(study.along.mean, 1) +
                     " linear regions on average, " + base::format_count(study.along.least) +
                     " to " + base::format_count(study.along.most) + ", along " +
                     base::counted(study.segments, "segment") + ".");
  page.content += counts_section(study);
  page.content +=
      figure_section("regions", region_histogram(study),
                     "Each bar counts the segments that cross this many linear regions.", page);
  if (study.counts.size() > 1)
    page.content += figure_section("layers", layer_chart(study),
                                   "Mean number of regions of a segment in each layer.", page);
  page.content += html_section(
      "How to reproduce this report",
      "<pre>" + base::escape_markup(study.command) + "</pre>\n" +
          html_table(html_row("td", {"data", study.data}) + html_row("td", {"run", study.run}) +
                         html_row("td", {"toolkit", base::version()}) +
                         html_row("td", {"commit", base::source_commit()}) +
                         html_row("td", {"processor", base::processor_description()}),
                     "facts"));
  return html_page(page, library);
}

void write_region_report(const std::filesystem::path& folder, const RegionStudy& study,
                         const PlotLibrary& library) {
  base::write_file_atomically(folder / "regions.svg", render_svg(region_histogram(study)));
  base::write_file_atomically(folder / "report.html", region_report(study, library));
}

}  // namespace asap::evaluate
