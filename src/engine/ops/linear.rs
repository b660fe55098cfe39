//! Linear maps with their bias, GELU and residual.

use crate::engine::operators::{Activation, Linear, Weight};
use crate::engine::program::{At, Factor, Form, Grouped, Instruction, Product, Rows, Term};
use crate::engine::recorder::{Recorder, Var};

fn dense(at: At, stride: usize) -> Rows {
    Rows { at, stride }
}

impl Recorder {
    /// Independent linear maps in one launch.
    ///
    /// Backward: `dz = dy ⊙ gelu'(z)`, `dx = dz W`, `dW = dzᵀ x`, `db = Σ dz`.
    pub(super) fn linears<const N: usize>(&mut self, linears: [Linear<Var>; N]) -> [Var; N] {
        let mut products = Vec::with_capacity(N);
        let outs = linears.map(|Linear { x, weight, bias, activation }| {
            let (m, n, k) = (x.rows, weight.rows, weight.columns);
            assert_eq!(x.width, k, "a linear map's input must be as wide as its weight");
            let out = self.var(m, n);
            let terms = vec![Term { a: dense(x.at, k), b: dense(weight.at(), k), k }];
            let mut product = Product::plain(Form::Nt, m, n, terms, out.dense());
            product.biases.extend(bias.map(Weight::at));
            product.gelu = (activation == Activation::Gelu).then(|| self.buffer(m * n));
            self.set_slope(out, product.gelu);
            products.push(product);
            out
        });
        self.push(Instruction::Grouped(Grouped::Products(products)));
        self.on_backward(move |recorder| {
            let mut products = Vec::with_capacity(N);
            for (Linear { x, weight, bias, .. }, out) in linears.into_iter().zip(outs) {
                // The reader of the result has already multiplied it by gelu'(z).
                let Some(dz) = recorder.gradient(out) else { continue };
                recorder.linear_gradient(&mut products, x, weight, bias, dz);
            }
            recorder.push_products(products);
        });
        outs
    }

    /// Backward, the gradient of the residual is the gradient of the result.
    pub(super) fn residual<const N: usize>(&mut self, residual: Var, branches: [(Var, Weight, Option<Weight>); N]) -> Var {
        let (m, n) = (residual.rows, residual.width);
        let out = self.var(m, n);
        let term = |(x, weight, _): &(Var, Weight, Option<Weight>)| {
            assert_eq!((weight.rows, weight.columns), (n, x.width), "a branch must be as wide as the residual stream");
            Term { a: dense(x.at, x.width), b: dense(weight.at(), weight.columns), k: weight.columns }
        };
        let mut product = Product::plain(Form::Nt, m, n, branches.iter().map(term).collect(), out.dense());
        product.add = Some(residual.at);
        product.biases = branches.iter().filter_map(|(_, _, bias)| bias.map(Weight::at)).collect();
        self.push(Instruction::Grouped(Grouped::Products(vec![product])));
        self.on_backward(move |recorder| {
            let Some(dy) = recorder.gradient(out) else { return };
            recorder.share_gradient(residual, dy);
            let mut products = Vec::with_capacity(N);
            for (x, weight, bias) in branches {
                recorder.linear_gradient(&mut products, x, weight, bias, dy);
            }
            recorder.push_products(products);
        });
        out
    }

    /// Appends products in as few launches as possible: a product that adds to another's result needs a later launch.
    fn push_products(&mut self, products: Vec<Product>) {
        let mut together: Vec<Product> = Vec::new();
        for product in products {
            if together.iter().any(|earlier| product.add == Some(earlier.out.at)) {
                self.push(Instruction::Grouped(Grouped::Products(std::mem::take(&mut together))));
            }
            together.push(product);
        }
        if !together.is_empty() {
            self.push(Instruction::Grouped(Grouped::Products(together)));
        }
    }

    /// Appends the gradient of x, `dz W`, of one map in a launch of its own.
    pub(super) fn input_gradient(&mut self, x: Var, weight: Weight, dz: At) {
        let mut products = Vec::with_capacity(1);
        self.map_gradient(&mut products, x, weight, dz);
        self.push_products(products);
    }

    /// The gradient of x, `dz W`, added to the gradient from other readers.
    fn map_gradient(&mut self, products: &mut Vec<Product>, x: Var, weight: Weight, dz: At) {
        let (m, n, k) = (x.rows, weight.columns, weight.rows);
        let slope = self.take_slope(x);
        let (dx, carried) = self.add_gradient(x);
        assert!(slope.is_none() || carried.is_none(), "the result of a GELU must have one reader");
        let terms = vec![Term { a: dense(dz, k), b: dense(weight.at(), n), k }];
        let mut product = Product::plain(Form::Nn, m, n, terms, dense(dx, n));
        product.add = carried;
        product.slope = slope;
        products.push(product);
    }

    /// The gradients of x, W and b of one map from the gradient of its result before the activation.
    fn linear_gradient(&mut self, products: &mut Vec<Product>, x: Var, weight: Weight, bias: Option<Weight>, dz: At) {
        self.map_gradient(products, x, weight, dz);
        self.weight_gradient(weight, dense(dz, weight.rows), x.dense(), x.rows);
        if let Some(bias) = bias {
            self.vector_gradient(bias, dz, Factor::One, x.rows);
        }
    }
}
