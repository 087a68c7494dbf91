#include <array>
#include <tuple>

#include "base/error.h"
#include "base/files.h"
#include "base/format.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "region/network/network_file.h"
#include "region/network/region_count.h"
#include "region/network/region_map.h"
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
          ->allow_extra_args(false);
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
    report(folder, region::count_regions(stored.network, interval),
           {{"interval", {interval.low, interval.high}}},
           "on [" + base::format_number(interval.low) + ", " + base::format_number(interval.high) +
               "]");
  }

 private:
  void count_segment(const region::StoredNetwork& stored, cli::OutputFolder& folder) {
    const auto inputs = static_cast<std::size_t>(stored.network.inputs());
    for (const auto& [name, end] : {std::pair{"--from", &from_}, std::pair{"--to", &to_}})
      if (end->size() != inputs)
        throw base::UsageError(std::string(name) + ": " + std::to_string(end->size()) +
                                   " coordinates, the network reads " + std::to_string(inputs),
                               "for example --from 0,0 --to 1,1 for two inputs");
    if (from_ == to_) throw base::UsageError("--from and --to are the same point");
    report(folder, region::count_regions(stored.network, from_, to_),
           {{"from", from_}, {"to", to_}}, "along the segment");
  }

  /// Counts in the plane; draws a picture if --out is given.
  void count_map(const region::StoredNetwork& stored, cli::OutputFolder& folder) {
    if (stored.network.inputs() != 2)
      throw base::UsageError(
          "the network reads " + std::to_string(stored.network.inputs()) + " inputs",
          "count along a segment: --from 0,0,0 --to 1,1,1");
    const numerics::Interval interval = interval_of(flags_, stored);
    const region::Rectangle square{interval, interval};
    const std::vector<region::RegionPolygon> polygons =
        region::region_polygons(stored.network, square);
    const auto count = static_cast<std::int64_t>(polygons.size());
    const std::array<std::string, 2> names =
        stored.inputs.empty() ? std::array<std::string, 2>{"x1", "x2"}
                              : std::array<std::string, 2>{stored.inputs[0], stored.inputs[1]};
    const std::string text = base::format_count(count) + " activation regions on the square of [" +
                             base::format_number(interval.low) + ", " +
                             base::format_number(interval.high) + "]\n";
    if (!common_.out.empty()) {
      folder.begin();
      base::write_file_atomically(
          common_.out / "regions.svg",
          region::draw_regions(polygons, square, names, std::string(base::trim(text))));
    }
    folder.finish({{"interval", {interval.low, interval.high}}, {"activation_regions", count}},
                  text);
  }

  void report(cli::OutputFolder& folder, const region::RegionCount& count, io::Json summary,
              const std::string& where) {
    const region::FunctionShape shape = region::shape_of(count);
    const io::Json counted = {{"activation_regions", count.activation_regions},
                              {"linear_regions", count.linear_regions},
                              {"breakpoints", count.breakpoints},
                              {"slopes", count.slopes},
                              {"convex", shape.convex},
                              {"concave", shape.concave},
                              {"increasing", shape.increasing},
                              {"decreasing", shape.decreasing}};
    summary.update(counted);
    folder.finish(summary, base::format_count(count.linear_regions) + " linear regions, " +
                               base::format_count(count.activation_regions) +
                               " activation regions " + where + (shape.convex ? ", convex" : "") +
                               (shape.concave ? ", concave" : "") +
                               (shape.increasing ? ", increasing" : "") +
                               (shape.decreasing ? ", decreasing" : "") + "\n");
  }

  cli::CommonOptions common_;
  std::filesystem::path network_;
  TargetFlags flags_;
  std::vector<double> from_, to_;
};

}  // namespace

std::unique_ptr<cli::Command> regions_command() { return std::make_unique<RegionsCommand>(); }

}  // namespace asap::relu_fit
