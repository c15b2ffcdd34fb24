# Worker for R glmnet. Arguments: FOLDER OUT TOL REPEATS PATIENCE THREADS RESPONSES SPAWNED (as benchmarks.worker).
#
# glmnet standardises y inside (1/n), so that a user's lambda and alpha mean l1 = lambda alpha, l2 = lambda (1 - alpha)/sd(y).
# To solve l1 = alpha rho, l2 = alpha (1 - rho) each fit is given  lambda = alpha m,  alpha = rho / m,
# m = rho + (1 - rho) sd(y of its own training rows).
suppressMessages({library(glmnet); library(Matrix); library(parallel); library(jsonlite)})
glmnet.control(fdev = 0, devmax = 1)  # never stop a path early

arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]; out <- arguments[2]
thresh <- as.numeric(arguments[3]); repeats <- as.integer(arguments[4]); patience <- as.numeric(arguments[5])
threads <- as.integer(arguments[6]); responses <- as.integer(arguments[7]); spawned <- as.numeric(arguments[8])
now <- function() as.numeric(Sys.time())

# A .npy file in C order: 10 bytes, of which the last two are the length of the header, then the header and the numbers.
read_npy <- function(name, count, what = "double", size = 8) {
  file <- file(file.path(folder, paste0(name, ".npy")), "rb")
  on.exit(close(file))
  readBin(file, "raw", 8)
  readBin(file, "raw", readBin(file, "integer", 1, size = 2, signed = FALSE))
  readBin(file, what, count, size = size)
}

meta <- fromJSON(file.path(folder, "meta.json"))
n <- meta$shape[1]; p <- meta$shape[2]
G <- meta$grid[1]; Q <- meta$grid[2]; R <- meta$grid[3]; A <- meta$grid[4]
X <- t(matrix(read_npy("X", n * p, size = meta$itemsize), p, n))
Y <- t(matrix(read_npy("Y", n * Q), Q, n))
rho <- read_npy("rho", R)
alphas <- aperm(array(read_npy("alphas", Q * R * A), c(A, R, Q)))  # (Q, R, A)
train <- t(matrix(read_npy("train", G * n, "integer", 1) != 0, n, G))
Q <- min(Q, responses)
kind <- if (n > p) "covariance" else "naive"

# One path: coefficients as a sparse (p, A) matrix and the held-out mean squared errors.
one_path <- function(task) {
  rows <- train[task$g, ]
  y <- Y[rows, task$j]
  scale <- sqrt(mean((y - mean(y))^2))
  m <- rho[task$i] + (1 - rho[task$i]) * scale
  fit <- glmnet(X[rows, , drop = FALSE], y, alpha = rho[task$i] / m, lambda = alphas[task$j, task$i, ] * m,
                standardize = FALSE, thresh = thresh, maxit = 1e9, type.gaussian = kind)
  beta <- fit$beta
  if (ncol(beta) < A) stop("glmnet stopped after ", ncol(beta), " of ", A, " lambdas")
  errors <- if (all(rows)) rep(NA_real_, A) else {
    predicted <- as.matrix(X[!rows, , drop = FALSE] %*% beta) + rep(fit$a0, each = sum(!rows))
    colMeans((Y[!rows, task$j] - predicted)^2)
  }
  list(values = beta@x, columns = beta@i, starts = beta@p, errors = errors)
}

tasks <- list()
for (g in seq_len(G)) for (j in seq_len(Q)) for (i in seq_len(R)) tasks[[length(tasks) + 1]] <- list(g = g, j = j, i = i)

solve <- function() {
  if (length(tasks) == 1 || threads == 1) return(lapply(tasks, one_path))
  # Forking once per core and dealing tasks out is cheapest when there are many; else one fork per task balances better.
  done <- mclapply(tasks, one_path, mc.cores = threads, mc.preschedule = length(tasks) > 200)
  failed <- vapply(done, inherits, TRUE, "try-error")
  if (any(failed)) stop(done[[which(failed)[1]]])
  done
}

start <- now()
answer <- solve()
first <- now() - start
cold <- now() - spawned
warm <- numeric(0)
spent <- first
while (length(warm) < repeats && (spent < patience || (length(warm) == 0 && spent < 2 * patience))) {
  start <- now(); answer <- solve(); warm <- c(warm, now() - start); spent <- spent + warm[length(warm)]
}
gather <- function(name) unlist(lapply(answer, `[[`, name))
writeBin(as.double(gather("values")), file.path(out, "values.bin"))
writeBin(as.integer(gather("columns")), file.path(out, "columns.bin"))
writeBin(as.integer(unlist(lapply(answer, function(a) diff(a$starts)))), file.path(out, "counts.bin"))
writeBin(as.double(gather("errors")), file.path(out, "errors.bin"))
write_json(list(cold = cold, first = first, warm = I(warm)), file.path(out, "result.json"), auto_unbox = TRUE, digits = 8)
