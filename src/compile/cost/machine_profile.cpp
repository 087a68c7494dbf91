#include "compile/cost/machine_profile.h"

#include <cmath>
#include <numeric>

#include "compile/cost/shipped_profiles.h"
#include "numerics/non_negative.h"
#include "tensor/core/tensor.h"

namespace asap::compile {
namespace {

/// Relative to the largest diagonal entry: columns that no timing tells apart share their time.
constexpr double kRidge = 1e-10;

[[noreturn]] void refuse(const std::string& file, const std::string& what) {
  throw base::DataError(file + ": " + what,
                        "asap-eval bench --profile writes such a file on this machine");
}

double require_number(const io::Json& json, const std::string& key, const std::string& file,
                      const std::string& where) {
  const auto found = json.find(key);
  if (found == json.end()) refuse(file, "field '" + where + "' is missing");
  if (!found->is_number() || !(found->get<double>() >= 0) || std::isinf(found->get<double>()))
    refuse(file, "field '" + where + "': expected a number of at least 0, got " +
                     io::excerpt(found->dump()));
  return found->get<double>();
}

}  // namespace

double MachineProfile::time(const OperatorForm& form, const HeadShape& shape) const {
  const CostVector quantities = cost_quantities(form, shape, cache_bytes);
  return std::inner_product(quantities.begin(), quantities.end(), nanoseconds.begin(), 0.0);
}

bool MachineProfile::has_bfloat16() const {
  for (std::size_t c = 0; c < kCostColumns.size(); ++c)
    if (kCostColumns[c].step.ends_with("_bf16") && nanoseconds[c] > 0) return true;
  return false;
}

CostVector fit_costs(std::span<const FormTiming> timings, double cache_bytes) {
  constexpr auto kColumns = static_cast<std::int64_t>(kCostColumns.size());
  tensor::Tensor<double> gram({kColumns, kColumns});
  std::vector<double> moments(kCostColumns.size());
  // Columns differ by orders of magnitude; the solver sees them relative to their largest share.
  CostVector largest{};
  for (const FormTiming& timing : timings) {
    const CostVector row = cost_quantities(timing.form, timing.shape, cache_bytes);
    for (std::size_t c = 0; c < row.size(); ++c)
      largest[c] = std::max(largest[c], row[c] / timing.nanoseconds);
  }
  for (const FormTiming& timing : timings) {
    CostVector row = cost_quantities(timing.form, timing.shape, cache_bytes);
    for (std::size_t c = 0; c < row.size(); ++c)
      row[c] = largest[c] > 0 ? row[c] / timing.nanoseconds / largest[c] : 0;
    for (std::int64_t i = 0; i < kColumns; ++i) {
      for (std::int64_t j = 0; j < kColumns; ++j)
        gram.rows()(i, j) += row[static_cast<std::size_t>(i)] * row[static_cast<std::size_t>(j)];
      moments[static_cast<std::size_t>(i)] += row[static_cast<std::size_t>(i)];
    }
  }
  double diagonal = 0;
  for (std::int64_t i = 0; i < kColumns; ++i) diagonal = std::max(diagonal, gram.rows()(i, i));
  for (std::int64_t i = 0; i < kColumns; ++i)
    gram.rows()(i, i) += largest[static_cast<std::size_t>(i)] > 0 ? kRidge * diagonal : 1;
  const std::vector<double> solution = numerics::solve_non_negative(gram.rows(), moments);
  CostVector costs{};
  for (std::size_t c = 0; c < costs.size(); ++c)
    costs[c] = largest[c] > 0 ? solution[c] / largest[c] : 0;
  return costs;
}

io::Json profile_json(const MachineProfile& profile) {
  io::Json costs = io::Json::object();
  for (std::size_t c = 0; c < kCostColumns.size(); ++c)
    costs[std::string(kCostColumns[c].step)][std::string(kCostColumns[c].quantity)] =
        profile.nanoseconds[c];
  return {{"format", MachineProfile::kFormat},
          {"version", MachineProfile::kVersion},
          {"instruction_set", profile.instruction_set},
          {"cache_bytes", profile.cache_bytes},
          {"nanoseconds", std::move(costs)}};
}

MachineProfile load_profile(const std::filesystem::path& path) {
  const std::string file = path.string();
  const io::Json json = io::read_json(path);
  if (!json.is_object() || json.value("format", io::Json()) != MachineProfile::kFormat)
    refuse(file, "not a machine profile");
  if (json.value("version", io::Json()) != MachineProfile::kVersion)
    refuse(file, "field 'version': expected " + std::to_string(MachineProfile::kVersion));
  MachineProfile profile;
  const auto name = json.find("instruction_set");
  if (name == json.end() || !name->is_string()) refuse(file, "field 'instruction_set' is missing");
  profile.instruction_set = name->get<std::string>();
  profile.cache_bytes = require_number(json, "cache_bytes", file, "cache_bytes");
  const auto costs = json.find("nanoseconds");
  if (costs == json.end() || !costs->is_object()) refuse(file, "field 'nanoseconds' is missing");
  double total = 0;
  for (std::size_t c = 0; c < kCostColumns.size(); ++c) {
    const std::string step(kCostColumns[c].step), quantity(kCostColumns[c].quantity);
    const auto found = costs->find(step);
    // Profiles of earlier versions lack this step, whose time the others then share.
    if (found == costs->end() && step == "dual") continue;
    if (found == costs->end() || !found->is_object())
      refuse(file, "field 'nanoseconds." + step + "' is missing");
    profile.nanoseconds[c] =
        require_number(*found, quantity, file, "nanoseconds." + step + "." + quantity);
    total += profile.nanoseconds[c];
  }
  if (total == 0) refuse(file, "all times are 0");
  return profile;
}

MachineProfile shipped_profile(const std::string& instruction_set) {
  for (const ShippedProfile& known : kShippedProfiles)
    if (known.instruction_set == instruction_set)
      return {std::string(known.instruction_set), known.cache_bytes, known.nanoseconds};
  return shipped_profile("AVX2");
}

}  // namespace asap::compile
