#include <array>
#include <tuple>

#include "base/counted.h"
#include "base/error.h"
#include "base/files.h"
#include "base/format.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "region/network/network_file.h"
#include "region/network/region_count.h"
#include "region/network/region_map.h"
#include "region/network/region_page.h"
#include "relu_fit/commands.h"
#include "relu_fit/network_flag.h"
#include "relu_fit/target_flags.h"

namespace asap::relu_fit {
namespace {

/// The interval of --interval, or the one the network was fitted on.
numerics::Interval interval_of(const TargetFlags& flags, const region::StoredNetwork& stored) {
  if (const auto bounds = flags.bounds()) {
    region::check_interval(*bounds);
    return *bounds;
  }
  if (!stored.interval)
    throw base::UsageError("--interval is required", "the network file does not store one");
  return *stored.interval;
}

class RegionsCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* regions =
        app.add_subcommand("regions", "Count the activation and linear regions of a network.");
    add_network(*regions, network_);
    regions
        ->add_option("--interval", flags_.interval,
                     "Where to count (default: the network's own interval)")
        ->type_name("LO HI")
        ->expected(2);
    for (const auto& [name, end, help] :
         {std::tuple{"--from", &from_, "Start of a segment, for several inputs: 0,0"},
          std::tuple{"--to", &to_, "End of the segment: 1,1"}})
      regions->add_option(name, *end, help)
          ->type_name("LIST")
          ->delimiter(',')
          ->allow_extra_args(false)
          ->check(cli::number_in({}));
    cli::add_common_options(*regions, common_, "relu-fit",
                            "relu-fit regions --network runs/exp/network.safetensors");
    return regions;
  }

  void run() override {
    const region::StoredNetwork stored = region::read_network(network_);
    cli::OutputFolder folder(common_, false);
    if (!from_.empty() || !to_.empty()) return count_segment(stored, folder);
    if (stored.network.inputs() > 1) return count_map(stored, folder);
    const numerics::Interval interval = interval_of(flags_, stored);
    const region::RegionCount count = region::count_regions(stored.network, interval);
    std::vector<double> y(count.breakpoints.size());
    stored.network.evaluate(count.breakpoints, y);
    const std::string name = stored.inputs.size() == 1 ? stored.inputs[0] : "x";
    report(folder, {stored,
                    count,
                    region::draw_pieces(count.breakpoints, y, name),
                    {{"interval", {interval.low, interval.high}}},
                    "on [" + base::format_number(interval.low) + ", " +
                        base::format_number(interval.high) + "]"});
  }

 private:
  void count_segment(const region::StoredNetwork& stored, cli::OutputFolder& folder) {
    const auto inputs = static_cast<std::size_t>(stored.network.inputs());
    for (const auto& [name, end] : {std::pair{"--from", &from_}, std::pair{"--to", &to_}})
      if (end->size() != inputs)
        throw base::UsageError(std::string(name) + ": " + base::counted(end->size(), "coordinate") +
                                   ", the network reads " + std::to_string(inputs),
                               "for example --from 0,0 --to 1,1 for two inputs");
    if (from_ == to_) throw base::UsageError("--from and --to are the same point");
    const region::RegionCount count = region::count_regions(stored.network, from_, to_);
    report(folder, {stored,
                    count,
                    region::draw_pieces(count.breakpoints, values_along(stored, count),
                                        "part of the segment"),
                    {{"from", from_}, {"to", to_}},
                    "along the segment"});
  }

  /// The network at the breakpoints of the segment.
  std::vector<double> values_along(const region::StoredNetwork& stored,
                                   const region::RegionCount& count) const {
    const auto inputs = static_cast<std::int64_t>(from_.size());
    tensor::Tensor<double> points({static_cast<std::int64_t>(count.breakpoints.size()), inputs});
    for (std::size_t k = 0; k < count.breakpoints.size(); ++k)
      for (std::size_t j = 0; j < from_.size(); ++j)
        points[static_cast<std::int64_t>(k) * inputs + static_cast<std::int64_t>(j)] =
            from_[j] + count.breakpoints[k] * (to_[j] - from_[j]);
    std::vector<double> values(count.breakpoints.size());
    stored.network.evaluate(points.rows(), values);
    return values;
  }

  /// Counts in the plane; draws a picture if --out is given.
  void count_map(const region::StoredNetwork& stored, cli::OutputFolder& folder) {
    if (stored.network.inputs() != 2)
      throw base::UsageError("the network reads " + base::counted(stored.network.inputs(), "input"),
                             "count along a segment: --from 0,0,0 --to 1,1,1");
    const numerics::Interval interval = interval_of(flags_, stored);
    const region::Rectangle square{interval, interval};
    const std::vector<region::RegionPolygon> polygons =
        region::region_polygons(stored.network, square);
    const auto count = static_cast<std::int64_t>(polygons.size());
    const std::array<std::string, 2> names =
        stored.inputs.empty() ? std::array<std::string, 2>{"x1", "x2"}
                              : std::array<std::string, 2>{stored.inputs[0], stored.inputs[1]};
    const std::string text = base::counted(count, "activation region") + " on the square of [" +
                             base::format_number(interval.low) + ", " +
                             base::format_number(interval.high) + "]\n";
    if (!common_.out.empty()) {
      folder.begin();
      const std::string picture =
          region::draw_regions(polygons, square, names, std::string(base::trim(text)));
      base::write_file_atomically(common_.out / "regions.svg", picture);
      write_page(
          {title(),
           network_facts(stored),
           picture,
           "The activation regions, each in the colour of the network's value at its middle.",
           {}});
    }
    folder.finish({{"interval", {interval.low, interval.high}}, {"activation_regions", count}},
                  text);
  }

  /// Regions along an interval or a segment.
  struct Counted {
    const region::StoredNetwork& stored;
    const region::RegionCount& count;
    std::string picture;
    io::Json summary;
    std::string where;
  };

  void report(cli::OutputFolder& folder, Counted counted) {
    const region::RegionCount& count = counted.count;
    const region::FunctionShape shape = region::shape_of(count);
    counted.summary.update({{"activation_regions", count.activation_regions},
                            {"linear_regions", count.linear_regions},
                            {"breakpoints", count.breakpoints},
                            {"slopes", count.slopes},
                            {"convex", shape.convex},
                            {"concave", shape.concave},
                            {"increasing", shape.increasing},
                            {"decreasing", shape.decreasing}});
    const std::string shapes =
        std::string(shape.convex ? ", convex" : "") + (shape.concave ? ", concave" : "") +
        (shape.increasing ? ", increasing" : "") + (shape.decreasing ? ", decreasing" : "");
    if (!common_.out.empty()) {
      folder.begin();
      base::write_file_atomically(common_.out / "regions.svg", counted.picture);
      write_page(page_of(counted, shapes));
    }
    folder.finish(counted.summary,
                  base::counted(count.linear_regions, "linear region") + ", " +
                      base::counted(count.activation_regions, "activation region") + " " +
                      counted.where + shapes + "\n");
  }

  region::RegionPage page_of(const Counted& counted, const std::string& shapes) const {
    const region::RegionCount& count = counted.count;
    region::RegionPage page{title(),
                            network_facts(counted.stored),
                            counted.picture,
                            "The network " + counted.where + "; a mark at every breakpoint.",
                            {}};
    page.facts.emplace_back("linear regions", base::format_count(count.linear_regions));
    page.facts.emplace_back("activation regions", base::format_count(count.activation_regions));
    page.facts.emplace_back(
        "shape", shapes.empty() ? "neither convex nor concave nor monotone" : shapes.substr(2));
    for (std::size_t k = 0; k < count.slopes.size(); ++k)
      page.pieces.push_back({{count.breakpoints[k], count.breakpoints[k + 1]}, count.slopes[k]});
    return page;
  }

  std::string title() const { return "Linear regions of " + network_.filename().string(); }

  static std::vector<std::pair<std::string, std::string>> network_facts(
      const region::StoredNetwork& stored) {
    std::vector<std::string> widths;
    for (std::size_t l = 0; l + 1 < stored.network.layers.size(); ++l)
      widths.push_back(std::to_string(stored.network.layers[l].outputs()));
    return {{"inputs", stored.inputs.empty() ? std::to_string(stored.network.inputs())
                                             : base::join(stored.inputs, ", ")},
            {"hidden layers", base::join(widths, ", ")},
            {"parameters", base::format_count(stored.network.parameter_count()) + ", " +
                               base::format_count(stored.network.nonzero_count()) + " not zero"}};
  }

  void write_page(const region::RegionPage& page) const {
    base::write_file_atomically(common_.out / "report.html", region::region_page(page));
  }

  cli::CommonOptions common_;
  std::filesystem::path network_;
  TargetFlags flags_;
  std::vector<double> from_, to_;
};

}  // namespace

std::unique_ptr<cli::Command> regions_command() { return std::make_unique<RegionsCommand>(); }

}  // namespace asap::relu_fit
