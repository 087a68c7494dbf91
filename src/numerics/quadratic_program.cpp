#include "numerics/quadratic_program.h"

#include <cmath>
#include <limits>

#include <Eigen/Dense>

#include "base/error.h"

namespace asap::numerics {
namespace {

using Numbers = std::vector<double>;

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kRounding = 1e-13;   // relative violation that is none
constexpr double kDependent = 1e-11;  // length of what is new in a unit vector that is nothing

double product(const Numbers& a, const Numbers& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void add(Numbers& a, double factor, const Numbers& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
}

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

auto in_place(Numbers& v) {
  return Eigen::Map<Eigen::VectorXd>(v.data(), static_cast<Eigen::Index>(v.size()));
}

/// The nearest point to the origin with normal_i . y >= bound_i for unit normals.
class NearestPoint {
 public:
  explicit NearestPoint(std::size_t size) : y_(size, 0.0) {}

  void add_constraint(Numbers normal, double bound, bool equality) {
    const double length = std::sqrt(product(normal, normal));
    for (double& n : normal) n /= length;
    constraints_.push_back({std::move(normal), bound / length, equality});
  }

  /// False when the constraints contradict each other.
  bool solve() {
    for (std::size_t c = 0; c < constraints_.size(); ++c) {
      Constraint& equality = constraints_[c];
      if (!equality.equality) continue;
      if (excess(equality) > 0) {
        for (double& n : equality.normal) n = -n;
        equality.bound = -equality.bound;
      }
      if (!enforce(c)) return false;
    }
    const std::size_t rounds = 20 * (constraints_.size() + y_.size()) + 100;
    for (std::size_t round = 0; round < rounds; ++round) {
      const std::size_t worst = most_violated();
      if (worst == constraints_.size()) return true;
      if (!enforce(worst)) return false;
    }
    throw base::NumericalError("quadratic program: the active sets did not end");
  }

  const Numbers& point() const { return y_; }

 private:
  struct Constraint {
    Numbers normal;
    double bound;
    bool equality;
    bool active = false;
  };
  struct Active {
    std::size_t constraint;
    double multiplier;
    Numbers direction;  ///< orthonormal to those of the active constraints before it
    Numbers products;   ///< of the normal with all directions up to its own
  };

  double excess(const Constraint& c) const { return product(c.normal, y_) - c.bound; }

  double negligible(const Constraint& c) const {
    return kRounding * (std::abs(c.bound) + std::sqrt(product(y_, y_)) + 1e-300);
  }

  std::size_t most_violated() const {
    std::size_t worst = constraints_.size();
    double least = 0;
    for (std::size_t c = 0; c < constraints_.size(); ++c) {
      if (constraints_[c].active || constraints_[c].equality) continue;
      const double value = excess(constraints_[c]);
      if (value >= -negligible(constraints_[c]) || value >= least) continue;
      least = value;
      worst = c;
    }
    return worst;
  }

  /// Moves until the constraint holds with equality; others leave the active set where needed.
  bool enforce(std::size_t index) {
    double multiplier = 0;
    for (;;) {
      const Constraint& entering = constraints_[index];
      const double missing = -excess(entering);
      Active active = orthogonalised(entering.normal);
      double length = active.products.back();
      if (length < kDependent) length = 0;
      if (length == 0 && missing <= negligible(entering)) return true;
      const Numbers change = multiplier_changes(active.products);
      double reach = kInfinite;
      std::size_t leaving = active_.size();
      for (std::size_t a = 0; a < active_.size(); ++a) {
        if (constraints_[active_[a].constraint].equality || !(change[a] > 0)) continue;
        const double limit = active_[a].multiplier / change[a];
        if (limit >= reach) continue;
        reach = limit;
        leaving = a;
      }
      const double full = length > 0 ? missing / (length * length) : kInfinite;
      const double step = std::min(reach, full);
      if (step == kInfinite) return false;
      if (length > 0) add(y_, step * length, active.direction);
      for (std::size_t a = 0; a < active_.size(); ++a) active_[a].multiplier -= step * change[a];
      multiplier += step;
      if (full <= reach) {
        active.constraint = index;
        active.multiplier = multiplier;
        constraints_[index].active = true;
        active_.push_back(std::move(active));
        return true;
      }
      leave(leaving);
    }
  }

  /// Gram and Schmidt, twice. products.back() is the length of what is new in the normal.
  Active orthogonalised(Numbers normal) const {
    Active result{0, 0, {}, Numbers(active_.size(), 0.0)};
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t a = 0; a < active_.size(); ++a) {
        const double part = product(active_[a].direction, normal);
        result.products[a] += part;
        add(normal, -part, active_[a].direction);
      }
    }
    const double length = std::sqrt(product(normal, normal));
    if (length > 0)
      for (double& n : normal) n /= length;
    result.products.push_back(length);
    result.direction = std::move(normal);
    return result;
  }

  /// How the multipliers of the active constraints fall when that of the new one grows by one.
  Numbers multiplier_changes(const Numbers& products) const {
    Numbers change(active_.size());
    for (std::size_t a = active_.size(); a-- > 0;) {
      double sum = products[a];
      for (std::size_t b = a + 1; b < active_.size(); ++b)
        sum -= active_[b].products[a] * change[b];
      change[a] = sum / active_[a].products[a];
    }
    return change;
  }

  void leave(std::size_t leaving) {
    constraints_[active_[leaving].constraint].active = false;
    std::vector<Active> later(
        std::make_move_iterator(active_.begin() + static_cast<std::ptrdiff_t>(leaving) + 1),
        std::make_move_iterator(active_.end()));
    active_.resize(leaving);
    for (const Active& active : later) {
      Active again = orthogonalised(constraints_[active.constraint].normal);
      again.constraint = active.constraint;
      again.multiplier = active.multiplier;
      active_.push_back(std::move(again));
    }
  }

  Numbers y_;
  std::vector<Constraint> constraints_;
  std::vector<Active> active_;
};

}  // namespace

std::optional<std::vector<double>> solve_quadratic_program(
    tensor::MatrixView<const double> a, tensor::VectorView<const double> b,
    const std::vector<LinearConstraint>& constraints) {
  base::check(a.rows == a.cols && static_cast<std::size_t>(a.rows) == b.size(),
              "solve_quadratic_program: shapes do not fit");
  // With x = L⁻ᵀ (y + L⁻¹ b) the objective is |y|² / 2 and a constant.
  const Eigen::LLT<Matrix> factor(Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>(
      a.data, a.rows, a.cols, Eigen::OuterStride<>(a.stride)));
  if (factor.info() != Eigen::Success)
    throw base::NumericalError("quadratic program: the matrix is not positive definite");
  Numbers shift(b.begin(), b.end());
  factor.matrixL().solveInPlace(in_place(shift));
  NearestPoint nearest(b.size());
  for (const LinearConstraint& constraint : constraints) {
    Numbers normal(b.size(), 0.0);
    for (const LinearConstraint::Term& term : constraint.terms)
      normal[static_cast<std::size_t>(term.variable)] += term.factor;
    factor.matrixL().solveInPlace(in_place(normal));
    if (!(product(normal, normal) > 0)) {
      if (constraint.bound > 0 || (constraint.equality && constraint.bound != 0))
        return std::nullopt;
      continue;
    }
    const double bound = constraint.bound - product(normal, shift);
    nearest.add_constraint(std::move(normal), bound, constraint.equality);
  }
  if (!nearest.solve()) return std::nullopt;
  Numbers y = nearest.point();
  add(y, 1, shift);
  factor.matrixU().solveInPlace(in_place(y));
  return y;
}

}  // namespace asap::numerics
