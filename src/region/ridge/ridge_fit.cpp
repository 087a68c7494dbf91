#include "region/ridge/ridge_fit.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "region/ridge/baselines.h"
#include "region/ridge/continuation.h"
#include "region/ridge/network_choice.h"
#include "region/ridge/sum_choice.h"

namespace asap::region {
namespace {

/// Products in the normal equations of all starts together for a network of this many parameters:
/// some ten seconds on one core. Small networks gain most from more starts, and get up to four
/// times as many.
double budget_for(double parameters) {
  return 2.5e11 * std::clamp(600 / parameters * (600 / parameters), 1.0, 4.0);
}

base::RandomStream stream_of(const RidgeFitOptions& options, std::uint32_t purpose,
                             std::uint32_t index = 0) {
  // Above the streams of the methods for one input.
  return {options.seed, base::RandomPurpose::region, 0x10000U + purpose, index};
}

class RidgeFitter {
 public:
  RidgeFitter(const LearningRows& rows, const RidgeFitOptions& options)
      : rows_(rows), options_(options) {}

  RidgeFit run() {
    SumChoice choice = choose_sum(rows_, options_);
    report(0.1);
    linear_ = linear_network(choice.linear, 1);
    sum_ = std::move(choice.sum);
    separate_linear_term();
    RidgeFit fit = fold_all();
    if (choice.promising) {
      refine();
      choose_weights(fit);
    }
    // Three standard errors: the fit is the best of many on these rows.
    if (!choice.promising || sureness(linear_, fit.network, rows_.validation) < 3)
      become_linear(fit);
    fit.training = network_error(fit.network, rows_.training);
    fit.validation = network_error(fit.network, rows_.validation);
    return fit;
  }

 private:
  /// One refinement.
  struct Start {
    int number;  ///< among those of equal fold and decay
    int fold;
    double decay;
    ReluNetwork folded;
    RefinedWeights refined{};
  };

  void report(double part) {
    if (options_.progress) options_.progress(part);
  }

  NetworkShape shape_of(const ReluNetwork& folded) const {
    NetworkShape shape{rows_.training.inputs(), static_cast<std::int64_t>(sum_.ridges.size()), {}};
    for (int l = 0; l < options_.depth; ++l)
      shape.widths.push_back(folded.layers[static_cast<std::size_t>(l)].outputs() / shape.blocks);
    return shape;
  }

  /// Moves the linear term into the ridges, and keeps what is left only if it matters.
  void separate_linear_term() {
    sum_.absorb_linear();
    RidgeSum without = sum_;
    std::ranges::fill(without.linear.slope, 0.0);
    if (without.error(rows_.validation) <= 1.01 * sum_.error(rows_.validation))
      sum_ = std::move(without);
    else
      rest_ = sum_.linear;
  }

  /// The rows without the linear term.
  Rows blocks_rows(const Rows& rows) const {
    Rows left = rows;
    if (rest_)
      for (std::int64_t i = 0; i < rows.size(); ++i)
        left.y[static_cast<std::size_t>(i)] -= (*rest_)(rows.row(i));
    return left;
  }

  /// Blocks and linear term, continued outside the training rows unless that costs accuracy.
  ReluNetwork whole(const ReluNetwork& blocks) const {
    const ReluNetwork network =
        rest_ ? sum_of(blocks, linear_network(*rest_, options_.depth)) : blocks;
    ReluNetwork continued = continue_end_pieces(network, rows_.training.x.rows());
    const double before = network_error(network, rows_.validation);
    return network_error(continued, rows_.validation) <= 1.05 * before + 1e-20
               ? std::move(continued)
               : network;
  }

  RidgeFit fold_all() {
    const std::vector<int> folds =
        options_.fold > 0 ? std::vector<int>{options_.fold} : std::vector<int>{2, 3};
    RidgeFit fit;
    for (const int fold : folds) {
      base::RandomStream random = stream_of(options_, 1, static_cast<std::uint32_t>(fold));
      const ReluNetwork folded = fold_ridges(sum_, options_.depth, fold, random);
      const NetworkShape shape = shape_of(folded);
      for (const double decay : decays_for(shape.parameter_count(), rows_.training.size()))
        for (int k = 0; k < 2 * std::max(options_.starts, 1); ++k)
          starts_.push_back({k, fold, decay, folded});
      const ReluNetwork network = whole(folded);
      const double validation = network_error(network, rows_.validation);
      if (!fit.network.layers.empty() && validation >= fit.folded_validation) continue;
      fit.kind = RidgeKind::folded;
      fit.network = fit.folded = network;
      fit.shape = shape;
      fit.fold = fold;
      fit.folded_training = network_error(network, rows_.training);
      fit.folded_validation = validation;
    }
    fit.linear_term = rest_.has_value();
    fit.parameters = fit.shape.parameter_count() +
                     (rest_ ? linear_network(*rest_, options_.depth).nonzero_count() : 0);
    return fit;
  }

  /// Leaves the starts that the budget allows, of every fold and decay first, and sets how many of
  /// them are finished. Returns their part of the iterations.
  double limit_starts() {
    constexpr std::size_t kMostStarts = 12;
    std::ranges::stable_sort(starts_, {}, &Start::number);
    if (starts_.size() > kMostStarts) starts_.resize(kMostStarts);
    const RefinementOptions& all = options_.refinement;
    const auto size = static_cast<double>(shape_of(starts_.front().folded).parameter_count());
    const double affordable =
        budget_for(size) / (size * size * static_cast<double>(rows_.training.size()));
    const auto share = [&] {
      return affordable / (static_cast<double>(starts_.size()) * all.first_iterations() +
                           static_cast<double>(finished_) * all.last_iterations());
    };
    finished_ = starts_.size();
    while (share() < 1 && finished_ > 2) --finished_;
    while (share() < 0.3 && starts_.size() > 1) {
      starts_.resize((starts_.size() + 1) / 2);
      finished_ = std::min(finished_, starts_.size());
    }
    return std::min(share(), 1.0);
  }

  /// Starts all refinements, and finishes those that are best on the validation rows.
  void refine() {
    const double share = limit_starts();
    RefinementOptions effort = options_.refinement.part(share);
    if (share < 0.03 && effort.adam_steps == 0)  // too few iterations to get anywhere
      effort.adam_steps = kAdamSteps;
    training_ = blocks_rows(rows_.training);
    validation_ = blocks_rows(rows_.validation);
    std::vector<base::RandomStream> randoms;
    for (std::size_t k = 0; k < starts_.size(); ++k)
      randoms.push_back(stream_of(options_, 2, static_cast<std::uint32_t>(k)));
    const auto run = [&](double from, double to, const auto& work) {
      int done = 0;
      base::parallel_for(
          static_cast<std::int64_t>(starts_.size()), options_.threads,
          [&](std::int64_t index, int) {
            Start& start = starts_[static_cast<std::size_t>(index)];
            RefinementOptions own = effort;
            own.decay = start.decay;
            WeightRefiner refiner(training_, validation_, shape_of(start.folded), own);
            work(refiner, start, randoms[static_cast<std::size_t>(index)]);
            const std::lock_guard lock(mutex_);
            report(from + (to - from) * ++done / static_cast<double>(starts_.size()));
          });
    };
    run(0.1, 0.5, [this](WeightRefiner& refiner, Start& start, base::RandomStream& random) {
      const std::int64_t blocks = static_cast<std::int64_t>(sum_.ridges.size());
      start.refined = refiner.begin(WeightsModel::parameters_of(start.folded, blocks), random);
    });
    // The streams of random numbers go with their starts.
    std::vector<std::size_t> order(starts_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {},
                             [this](std::size_t k) { return starts_[k].refined.validation; });
    std::vector<Start> kept;
    std::vector<base::RandomStream> kept_randoms;
    for (std::size_t k = 0; k < std::min(order.size(), finished_); ++k) {
      kept.push_back(std::move(starts_[order[k]]));
      kept_randoms.push_back(randoms[order[k]]);
    }
    starts_ = std::move(kept);
    randoms = std::move(kept_randoms);
    run(0.5, 1, [this](WeightRefiner& refiner, Start& start, base::RandomStream& random) {
      start.refined = refiner.finish(std::move(start.refined), random);
      if (has_tails(sum_)) straighten_tails(refiner, start);
    });
  }

  /// A few rows far outside the others can hold corners of their own, which bend the network where
  /// the next such row lies. Takes the weights without these corners, fitted again, if they are
  /// about as good on the validation rows.
  void straighten_tails(WeightRefiner& refiner, Start& start) const {
    const auto blocks = static_cast<std::int64_t>(sum_.ridges.size());
    const ReluNetwork straight = continue_end_pieces(
        WeightsModel(training_, shape_of(start.folded)).network(start.refined.parameters),
        training_.x.rows(), 0, std::max<std::int64_t>(kFewRows, training_.size() / 100));
    RefinedWeights again = refiner.polish(WeightsModel::parameters_of(straight, blocks));
    if (again.validation <= 1.1 * start.refined.validation) start.refined = std::move(again);
  }

  /// Takes the best of the fitted weights; else the folded blocks stay.
  void choose_weights(RidgeFit& fit) const {
    std::vector<ReluNetwork> networks;
    for (const Start& start : starts_)
      networks.push_back(
          whole(WeightsModel(training_, shape_of(start.folded)).network(start.refined.parameters)));
    const NetworkChoice choice{rows_.training, rows_.validation, fit.folded, sum_};
    const std::optional<std::size_t> best = choice.best_of(networks);
    if (!best) return;
    const Start& start = starts_[*best];
    fit.kind = RidgeKind::fitted;
    fit.network = networks[*best];
    fit.shape = shape_of(start.folded);
    fit.fold = start.fold;
    fit.folded = whole(start.folded);
    fit.folded_training = network_error(fit.folded, rows_.training);
    fit.folded_validation = network_error(fit.folded, rows_.validation);
  }

  void become_linear(RidgeFit& fit) const {
    fit.kind = RidgeKind::linear;
    fit.network = fit.folded = linear_;
    fit.linear_term = true;
    fit.parameters = linear_.nonzero_count();
    fit.folded_training = network_error(linear_, rows_.training);
    fit.folded_validation = network_error(linear_, rows_.validation);
  }

  static constexpr int kAdamSteps = 1500;
  static constexpr std::int64_t kFewRows = 3;  // which hold no corner of their own

  LearningRows rows_;
  const RidgeFitOptions& options_;
  RidgeSum sum_;
  std::optional<LinearModel> rest_;  // what the ridges cannot hold of the linear term
  ReluNetwork linear_;               // the linear model
  Rows training_, validation_;       // without the linear term
  std::vector<Start> starts_;
  std::size_t finished_ = 1;  // starts that are refined to the end
  std::mutex mutex_;
};

}  // namespace

RidgeFit fit_ridges(const LearningRows& rows, const RidgeFitOptions& options) {
  return RidgeFitter(rows, options).run();
}

}  // namespace asap::region
