"""HTTP without Airflow: requests as data, flows, middleware, two transports, and errors by their consequence."""
