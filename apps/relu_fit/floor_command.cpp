#include <cmath>

#include "base/format.h"
#include "base/text_table.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "region/family/floor.h"
#include "relu_fit/commands.h"
#include "relu_fit/target_flags.h"

namespace asap::relu_fit {
namespace {

class FloorCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* floor = app.add_subcommand(
        "floor", "Compute the least error of any continuous function of N straight pieces.");
    target_.add_to(*floor);
    floor->add_option("--pieces", pieces_, "Numbers of straight pieces, comma-separated")
        ->type_name("N")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->capture_default_str();
    cli::add_common_options(*floor, common_, "relu-fit",
                            "relu-fit floor --function x^3 --pieces 8,32");
    return floor;
  }

  void run() override {
    const region::Target target = target_.target();
    cli::OutputFolder folder(common_, false);
    io::Json rows = io::Json::array();
    base::Table table({{"pieces"}, {"floor mse"}, {"asymptotic"}});
    for (const int pieces : pieces_) {
      const region::FreeKnotFloor floor =
          target.truth ? region::free_knot_floor(target.truth, target.interval, pieces)
                       : region::free_knot_floor(target.samples, pieces);
      const bool smooth = std::isfinite(floor.asymptotic);
      rows.push_back({{"pieces", pieces},
                      {"floor_mse", floor.refined},
                      {"asymptotic_mse", smooth ? io::Json(floor.asymptotic) : io::Json()},
                      {"knots", floor.knots}});
      table.add_row({base::format_count(pieces), base::format_significant(floor.refined),
                     smooth ? base::format_significant(floor.asymptotic) : "-"});
    }
    folder.finish({{"target", target.name}, {"rows", rows}}, table.text());
  }

 private:
  cli::CommonOptions common_;
  TargetFlags target_;
  std::vector<int> pieces_{32};
};

}  // namespace

std::unique_ptr<cli::Command> floor_command() { return std::make_unique<FloorCommand>(); }

}  // namespace asap::relu_fit
