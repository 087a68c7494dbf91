#include "base/files.h"
#include "cli/config.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "cli/progress.h"
#include "cli/run_header.h"
#include "region/run/fit_run.h"
#include "region/run/ridge_run.h"
#include "relu_fit/commands.h"
#include "relu_fit/target_flags.h"

namespace asap::relu_fit {
namespace {

class FitCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* fit = app.add_subcommand("fit", "Fit a network to a function or to data.");
    target_.add_to(*fit);
    const std::vector<config::FieldDescription> defaults = keys();
    const std::string group = "Network";
    const auto number = [&](const char* name, auto& value, const char* type, const char* help) {
      return fit->add_option(name, value, help)->type_name(type)->group(group);
    };
    number("--points", points_, "N",
           "Training samples of a function (default: 500 points; 2000 rows of several inputs)");
    cli::show_default(
        cli::take_one_of(fit->add_option("--method", method_, "How the network is fitted"),
                         region::method_names()),
        defaults, "method")
        ->group(group);
    cli::show_default(number("--depth", depth_, "N", "Hidden layers"), defaults, "depth");
    number("--fold", fold_, "M", "Pieces of a zigzag: 2, 3, ... (default: chosen by the method)");
    number("--windows", windows_, "J",
           "Windows of folds side by side (default: one narrow network)")
        ->check(cli::number_in(config::at_least(1)));
    number("--tolerance", tolerance_, "E",
           "Stay within this maximum error, in units of y, with as few parameters as can be found")
        ->check(cli::number_in(config::above(0)));
    number("--pieces", pieces_, "N|auto",
           "Straight pieces with free knots in one hidden layer: their number, or auto (chosen by "
           "--criterion)");
    add_pieces(*fit);
    fit->add_flag("--keep-shape", keep_shape_,
                  "Stay convex or concave, and monotone, like the target, by construction")
        ->group(group);
    fit->add_flag(
           "--open-ends", open_ends_,
           "Leave raw weights as they are outside the interval, instead of adding neurons by "
           "which the end pieces go on")
        ->group(group);
    fit->add_flag("--difference", difference_, "Fit the difference of two convex networks")
        ->group(group);
    add_several(*fit, defaults);
    cli::show_default(fit->add_option("--name", name_, "Function name in the C header"), defaults,
                      "name")
        ->type_name("NAME")
        ->group("Run");
    cli::add_common_options(*fit, common_, "relu-fit",
                            "relu-fit fit --function 'exp(x)' --interval 0 1 --out runs/exp");
    return fit;
  }

  std::vector<config::FieldDescription> keys() const override {
    return config::list_fields(region::FitConfig{});
  }

  bool draws_random_numbers() const override { return true; }

  void run() override {
    cli::configure_logging(common_);
    const region::FitConfig config = resolve();
    config.validate();
    if (cli::dump_config(common_, config)) return;
    cli::OutputFolder folder(common_);
    cli::RunHeader(common_, "relu-fit fit", config.seed)
        .add("target", config.data.empty() ? config.function : config.data)
        .add("method", region::method_name(config.method));
    if (config.several_inputs())
      run_several(config, folder);
    else
      run_one(config, folder);
  }

 private:
  /// The options of --pieces.
  void add_pieces(CLI::App& fit) {
    const std::string group = "Straight pieces, with --pieces";
    cli::take_one_of(fit.add_option("--criterion", criterion_,
                                    "What chooses their number: bic for independent noise, cv "
                                    "(cross-validation) for predictions between points (default: "
                                    "bic)"),
                     {"bic", "cv"})
        ->group(group);
    cli::take_one_of(fit.add_option("--loss", loss_,
                                    "What is minimised; huber bounds the influence of outliers "
                                    "(default: squares)"),
                     {"squares", "huber"})
        ->group(group);
    fit.add_option("--jumps", jumps_,
                   "Allow at most K jumps, each a steep piece between two neighbouring points "
                   "(default: 0)")
        ->type_name("K")
        ->group(group);
    cli::take_one_of(
        fit.add_option("--monotone", monotone_, "Monotone everywhere, also outside the interval"),
        {"increasing", "decreasing"})
        ->group(group);
    fit.add_flag("--convex", convex_, "Convex everywhere, also outside the interval")->group(group);
    fit.add_flag("--concave", concave_, "Concave everywhere, also outside the interval")
        ->group(group);
    const auto list = [&](const char* name, std::vector<std::string>& value, const char* type,
                          const char* help) {
      fit.add_option(name, value, help)->type_name(type)->group(group)->allow_extra_args(false);
    };
    list("--shape", shape_, "TEXT",
         "KIND:LO,HI: increasing, decreasing, convex or concave between LO and HI");
    fit.add_option("--slope-bounds", slope_bounds_,
                   "Bounds of all slopes, also outside the interval; one may be inf")
        ->type_name("LO,HI")
        ->group(group);
    fit.add_option("--value-bounds", value_bounds_, "Bounds of all values on the interval")
        ->type_name("LO,HI")
        ->group(group);
    list("--through", through_, "X,Y", "Pass through this point, which may lie outside the data");
  }

  void apply_pieces(region::FitConfig& config) const {
    if (pieces_) config.pieces = *pieces_;
    if (loss_) config.loss = *loss_ == "huber" ? region::Loss::huber : region::Loss::squares;
    if (criterion_)
      config.criterion = *criterion_ == "cv" ? region::Criterion::cv : region::Criterion::bic;
    if (jumps_) config.jumps = *jumps_;
    if (monotone_) config.monotone = *monotone_;
    config.convex |= convex_;
    config.concave |= concave_;
    if (!shape_.empty()) config.shape = shape_;
    if (slope_bounds_) config.slope_bounds = *slope_bounds_;
    if (value_bounds_) config.value_bounds = *value_bounds_;
    if (!through_.empty()) config.through = through_;
  }

  /// The options for several inputs.
  void add_several(CLI::App& fit, const std::vector<config::FieldDescription>& defaults) {
    const std::string group = "Several inputs";
    fit.add_option(
           "--inputs", inputs_,
           "Variables of --function, or columns of --data, by name or number from 1 (default: "
           "all but the target)")
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->group(group);
    fit.add_option("--target", target_column_, "Column of --data to fit, by name or number from 1")
        ->type_name("NAME|N")
        ->group(group);
    fit.add_option(
           "--ridges", ridges_,
           "Region-constrained networks side by side (default: chosen by validation, up to 8)")
        ->type_name("K")
        ->group(group);
    cli::show_default(fit.add_option("--validation", validation_,
                                     "Fraction of the rows that chooses between fits"),
                      defaults, "validation")
        ->type_name("FRACTION")
        ->group(group);
    cli::show_default(
        fit.add_option("--test", test_, "Fraction of the rows that measures the result"), defaults,
        "test")
        ->type_name("FRACTION")
        ->group(group);
    fit.add_flag("--compare", compare_,
                 "Also fit Kaiming, dense, Kolmogorov-Arnold and linear models of equal size")
        ->group(group);
  }

  void run_one(const region::FitConfig& config, cli::OutputFolder& folder) {
    const std::filesystem::path& out = folder.path();
    cli::ProgressBar bar(common_, {.title = "fit", .item = "%", .total = 100});
    region::FitRun result = region::run_fit(config, common_.threads, [&](double part) {
      bar.update(static_cast<std::int64_t>(100 * part));
    });
    bar.finish();
    folder.begin();
    const std::vector<std::string> notes = region::write_fit(result, out);
    result.target.notes.insert(result.target.notes.end(), notes.begin(), notes.end());
    folder.finish(region::fit_summary(result),
                  region::fit_text(result) + "written to " + out.string() + "\n");
  }

  void run_several(const region::FitConfig& config, cli::OutputFolder& folder) {
    const std::filesystem::path& out = folder.path();
    cli::ProgressBar bar(common_, {.title = "fit", .item = "%", .total = 100});
    const region::RidgeRun result = region::run_ridge_fit(
        config, common_.threads,
        [&](double part) { bar.update(static_cast<std::int64_t>(100 * part)); });
    bar.finish();
    folder.begin();
    std::string text = region::ridge_fit_text(result);
    for (const std::string& note : region::write_ridge_fit(result, out))
      text += "note: " + note + "\n";
    folder.finish(region::ridge_fit_summary(result), text + "written to " + out.string() + "\n");
  }

  region::FitConfig resolve() const {
    region::FitConfig config = cli::resolve_config(common_, region::FitConfig{});
    if (target_.given()) {
      config.function = target_.function;
      config.data = target_.data;
    }
    if (!target_.columns.x.empty()) config.x_column = target_.columns.x;
    if (!target_.columns.y.empty()) config.y_column = target_.columns.y;
    if (!target_.columns.weight.empty()) config.weight_column = target_.columns.weight;
    if (const auto bounds = target_.bounds()) {
      config.low = bounds->low;
      config.high = bounds->high;
      config.cut_data = true;
    }
    if (!inputs_.empty()) config.inputs = inputs_;
    if (!target_column_.empty()) config.target = target_column_;
    if (ridges_) config.ridges = *ridges_;
    if (validation_) config.validation = *validation_;
    if (test_) config.test = *test_;
    config.compare |= compare_;
    if (points_) config.points = *points_;
    if (method_) config.method = region::method_from_name(*method_);
    if (depth_) config.depth = *depth_;
    if (fold_) config.fold = *fold_;
    if (windows_) config.windows = *windows_;
    if (tolerance_) config.tolerance = *tolerance_;
    apply_pieces(config);
    config.keep_shape |= keep_shape_;
    config.difference |= difference_;
    config.open_ends |= open_ends_;
    if (name_) config.name = *name_;
    if (common_.seed) config.seed = *common_.seed;
    return config;
  }

  cli::CommonOptions common_;
  TargetFlags target_;
  std::optional<int> points_, depth_, fold_, windows_, ridges_;
  std::optional<double> tolerance_, validation_, test_;
  std::optional<std::string> method_, name_, pieces_, loss_, criterion_, monotone_, slope_bounds_,
      value_bounds_;
  std::optional<int> jumps_;
  bool convex_ = false, concave_ = false;
  std::vector<std::string> inputs_, shape_, through_;
  std::string target_column_;
  bool keep_shape_ = false, open_ends_ = false, difference_ = false, compare_ = false;
};

}  // namespace

std::unique_ptr<cli::Command> fit_command() { return std::make_unique<FitCommand>(); }

}  // namespace asap::relu_fit
