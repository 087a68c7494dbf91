#include "region/family/family_fit.h"

#include <cmath>

#include "region/family/family_model.h"
#include "region/family/linear_part.h"

namespace asap::region {
namespace {

constexpr int kFamilyIterations = 25;

}  // namespace

FamilyFit fit_family(const numerics::Curve& curve, const Samples& samples, int depth, int fold,
                     double noise, base::RandomStream& random) {
  FamilyFit fit{curvature_folding(curve, {0, 1}, depth, fold, 1)};
  for (std::vector<double>& level : fit.function.windows[0].pieces) {
    double total = 0;
    for (double& piece : level) total += piece *= std::exp(noise * random.normal());
    for (double& piece : level) piece /= total;
  }
  fit_linear_part(fit.function, samples);
  FamilyModel model(samples, {0, 1}, depth, fold, ScaleRule::free);
  std::vector<double> parameters = model.parameters_of(fit.function);
  numerics::LevenbergMarquardtOptions options;
  options.max_iterations = kFamilyIterations;
  fit.error = numerics::LevenbergMarquardt().minimise(model, parameters, options).final_cost;
  fit.function = model.function(parameters);
  return fit;
}

}  // namespace asap::region
